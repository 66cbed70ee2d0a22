namespace Plumb.Api.Schema;

/// <summary>What extends the server, and what is asked of it and kept nowhere; written as in <see cref="CoreTypes"/>.</summary>
internal static class ServerTypes
{
    public const string Admissionregistration = """
        =ValidatingAdmissionPolicy 2.spec:ValidatingAdmissionPolicySpec 3.status:ValidatingAdmissionPolicyStatus
        ValidatingAdmissionPolicySpec 1.paramKind:ParamKind 2.matchConstraints:MatchResources 3.validations:[]Validation 4*failurePolicy:string{Fail,Ignore} 5.auditAnnotations:[]AuditAnnotation 6.matchConditions:[]MatchCondition 7.variables:[]Variable
        ValidatingAdmissionPolicyStatus 1.observedGeneration:int64 2.typeChecking:TypeChecking 3.conditions:[]Condition
        ParamKind 1.apiVersion:string 2.kind:string
        MatchResources 1.namespaceSelector:LabelSelector 2.objectSelector:LabelSelector 3.resourceRules:[]NamedRuleWithOperations 4.excludeResourceRules:[]NamedRuleWithOperations 7*matchPolicy:string{Equivalent,Exact}
        Validation 1*expression!:string 2.message:string 3*reason:string 4.messageExpression:string
        AuditAnnotation 1*key!:string 2*valueExpression!:string
        MatchCondition 1*name!:string 2*expression!:string
        Variable 1*name!:string 2*expression!:string
        TypeChecking 1.expressionWarnings:[]ExpressionWarning
        NamedRuleWithOperations 1.resourceNames:[]string 2/1.operations:[]string{*,CONNECT,CREATE,DELETE,UPDATE} 2/2/1.apiGroups:[]string 2/2/2.apiVersions:[]string 2/2/3.resources:[]string 2/2/4*scope:string{*,Cluster,Namespaced}
        ExpressionWarning 2*fieldRef!:string 3*warning!:string
        =ValidatingAdmissionPolicyBinding 2.spec:ValidatingAdmissionPolicyBindingSpec
        ValidatingAdmissionPolicyBindingSpec 1.policyName:string 2.paramRef:ParamRef 3.matchResources:MatchResources 4.validationActions:[]string{Audit,Deny,Warn}
        ParamRef 1.name:string 2.namespace:string 3.selector:LabelSelector 4*parameterNotFoundAction:string
        """;

    public const string Apiextensions = """
        =CustomResourceDefinition 2.spec!:CustomResourceDefinitionSpec 3.status:CustomResourceDefinitionStatus
        CustomResourceDefinitionSpec 1*group!:string 3.names!:CustomResourceDefinitionNames 4*scope!:string 7.versions!:[]CustomResourceDefinitionVersion 9.conversion:CustomResourceConversion 10.preserveUnknownFields:bool
        CustomResourceDefinitionStatus 1.conditions:[]CustomResourceDefinitionCondition 2.acceptedNames:CustomResourceDefinitionNames 3.storedVersions:[]string
        CustomResourceDefinitionNames 1*plural!:string 2.singular:string 3.shortNames:[]string 4*kind!:string 5.listKind:string 6.categories:[]string
        CustomResourceDefinitionVersion 1*name!:string 2*served!:bool 3*storage!:bool 7.deprecated:bool 8*deprecationWarning:string 4.schema:CustomResourceValidation 5.subresources:CustomResourceSubresources 6.additionalPrinterColumns:[]CustomResourceColumnDefinition 9.selectableFields:[]SelectableField
        CustomResourceConversion 1*strategy!:string 2.webhook:WebhookConversion
        CustomResourceDefinitionCondition 1*type!:string 2*status!:string 3.lastTransitionTime:time 4.reason:string 5.message:string
        CustomResourceValidation 1.openAPIV3Schema:JSONSchemaProps
        CustomResourceSubresources 1.status:CustomResourceSubresourceStatus 2.scale:CustomResourceSubresourceScale
        CustomResourceColumnDefinition 1*name!:string 2*type!:string 3.format:string 4.description:string 5.priority:int32 6*jsonPath!:string
        SelectableField 1*jsonPath!:string
        WebhookConversion 2.clientConfig:WebhookClientConfig 3.conversionReviewVersions!:[]string
        JSONSchemaProps 1.id:string 2.$schema:string 3*$ref:string 4.description:string 5.type:string 6.format:string 7.title:string 8.default:JSON 9*maximum:float64 10.exclusiveMaximum:bool 11*minimum:float64 12.exclusiveMinimum:bool 13*maxLength:int64 14*minLength:int64 15.pattern:string 16*maxItems:int64 17*minItems:int64 18.uniqueItems:bool 19*multipleOf:float64 20.enum:[]JSON 21*maxProperties:int64 22*minProperties:int64 23.required:[]string 24.items:JSONSchemaPropsOrArray 25.allOf:[]JSONSchemaProps 26.oneOf:[]JSONSchemaProps 27.anyOf:[]JSONSchemaProps 28.not:JSONSchemaProps 29.properties:map:JSONSchemaProps 30.additionalProperties:JSONSchemaPropsOrBool 31.patternProperties:map:JSONSchemaProps 32.dependencies:map:JSONSchemaPropsOrStringArray 33.additionalItems:JSONSchemaPropsOrBool 34.definitions:map:JSONSchemaProps 35.externalDocs:ExternalDocumentation 36.example:JSON 37.nullable:bool 38*x-kubernetes-preserve-unknown-fields:bool 39.x-kubernetes-embedded-resource:bool 40.x-kubernetes-int-or-string:bool 41.x-kubernetes-list-map-keys:[]string 42*x-kubernetes-list-type:string 43*x-kubernetes-map-type:string 44.x-kubernetes-validations:[]ValidationRule
        CustomResourceSubresourceScale 1*specReplicasPath!:string 2*statusReplicasPath!:string 3*labelSelectorPath:string
        WebhookClientConfig 3*url:string 1.service:ServiceReference 2.caBundle:bytes
        ExternalDocumentation 1.description:string 2.url:string
        ValidationRule 1*rule!:string 2.message:string 3.messageExpression:string 4*reason:string{FieldValueDuplicate,FieldValueForbidden,FieldValueInvalid,FieldValueRequired} 5.fieldPath:string 6*optionalOldSelf:bool
        ServiceReference 1*namespace!:string 2*name!:string 3*path:string 4*port:int32
        CustomResourceSubresourceStatus
        ~JSON
        ~JSONSchemaPropsOrBool
        ~JSONSchemaPropsOrArray
        ~JSONSchemaPropsOrStringArray
        """;

    public const string Authentication = """
        =TokenRequest 2.spec!:TokenRequestSpec 3.status:TokenRequestStatus
        TokenRequestSpec 1.audiences!:[]string 4*expirationSeconds:int64 3.boundObjectRef:BoundObjectReference
        TokenRequestStatus 1*token!:string 2.expirationTimestamp!:time
        BoundObjectReference 1.kind:string 2.apiVersion:string 3.name:string 4.uid:string
        =TokenReview 2.spec!:TokenReviewSpec 3.status:TokenReviewStatus
        TokenReviewSpec 1.token:string 2.audiences:[]string
        TokenReviewStatus 1.authenticated:bool 2.user:UserInfo 4.audiences:[]string 3.error:string
        UserInfo 1.username:string 2.uid:string 3.groups:[]string 4.extra:map:[]string
        =SelfSubjectReview 2.status:SelfSubjectReviewStatus
        SelfSubjectReviewStatus 1.userInfo:UserInfo
        """;

    public const string Authorization = """
        =SubjectAccessReview 2.spec!:SubjectAccessReviewSpec 3.status:SubjectAccessReviewStatus
        SubjectAccessReviewSpec 1.resourceAttributes:ResourceAttributes 2.nonResourceAttributes:NonResourceAttributes 3.user:string 4.groups:[]string 5.extra:map:[]string 6.uid:string
        SubjectAccessReviewStatus 1*allowed!:bool 4.denied:bool 2.reason:string 3.evaluationError:string
        ResourceAttributes 1.namespace:string 2.verb:string 3.group:string 4.version:string 5.resource:string 6.subresource:string 7.name:string 8.fieldSelector:FieldSelectorAttributes 9.labelSelector:LabelSelectorAttributes
        NonResourceAttributes 1.path:string 2.verb:string
        FieldSelectorAttributes 1.rawSelector:string 2.requirements:[]FieldSelectorRequirement
        LabelSelectorAttributes 1.rawSelector:string 2.requirements:[]LabelSelectorRequirement
        =LocalSubjectAccessReview 2.spec!:SubjectAccessReviewSpec 3.status:SubjectAccessReviewStatus
        =SelfSubjectAccessReview 2.spec!:SelfSubjectAccessReviewSpec 3.status:SubjectAccessReviewStatus
        SelfSubjectAccessReviewSpec 1.resourceAttributes:ResourceAttributes 2.nonResourceAttributes:NonResourceAttributes
        =SelfSubjectRulesReview 2.spec!:SelfSubjectRulesReviewSpec 3.status:SubjectRulesReviewStatus
        SelfSubjectRulesReviewSpec 1.namespace:string
        SubjectRulesReviewStatus 1.resourceRules!:[]ResourceRule 2.nonResourceRules!:[]NonResourceRule 3*incomplete!:bool 4.evaluationError:string
        ResourceRule 1.verbs!:[]string 2.apiGroups:[]string 3.resources:[]string 4.resourceNames:[]string
        NonResourceRule 1.verbs!:[]string 2.nonResourceURLs:[]string
        """;

    public const string Autoscaling = """
        =Scale 2.spec:ScaleSpec 3.status:ScaleStatus
        ScaleSpec 1.replicas:int32
        ScaleStatus 1*replicas!:int32 2.selector:string
        """;
}
