namespace Plumb.Api.Schema;

/// <summary>What extends the server, and what is asked of it and kept nowhere; written as in <see cref="CoreTypes"/>.</summary>
internal static class ServerTypes
{
    public const string Admissionregistration = """
        =ValidatingAdmissionPolicy spec:ValidatingAdmissionPolicySpec status:ValidatingAdmissionPolicyStatus
        ValidatingAdmissionPolicySpec paramKind:ParamKind matchConstraints:MatchResources validations:[]Validation failurePolicy:string{Fail,Ignore} auditAnnotations:[]AuditAnnotation matchConditions:[]MatchCondition variables:[]Variable
        ValidatingAdmissionPolicyStatus observedGeneration:int64 typeChecking:TypeChecking conditions:[]Condition
        ParamKind apiVersion:string kind:string
        MatchResources namespaceSelector:LabelSelector objectSelector:LabelSelector resourceRules:[]NamedRuleWithOperations excludeResourceRules:[]NamedRuleWithOperations matchPolicy:string{Equivalent,Exact}
        Validation expression!:string message:string reason:string messageExpression:string
        AuditAnnotation key!:string valueExpression!:string
        MatchCondition name!:string expression!:string
        Variable name!:string expression!:string
        TypeChecking expressionWarnings:[]ExpressionWarning
        NamedRuleWithOperations resourceNames:[]string operations:[]string{*,CONNECT,CREATE,DELETE,UPDATE} apiGroups:[]string apiVersions:[]string resources:[]string scope:string{*,Cluster,Namespaced}
        ExpressionWarning fieldRef!:string warning!:string
        =ValidatingAdmissionPolicyBinding spec:ValidatingAdmissionPolicyBindingSpec
        ValidatingAdmissionPolicyBindingSpec policyName:string paramRef:ParamRef matchResources:MatchResources validationActions:[]string{Audit,Deny,Warn}
        ParamRef name:string namespace:string selector:LabelSelector parameterNotFoundAction:string
        """;

    public const string Apiextensions = """
        =CustomResourceDefinition spec!:CustomResourceDefinitionSpec status:CustomResourceDefinitionStatus
        CustomResourceDefinitionSpec group!:string names!:CustomResourceDefinitionNames scope!:string versions!:[]CustomResourceDefinitionVersion conversion:CustomResourceConversion preserveUnknownFields:bool
        CustomResourceDefinitionStatus conditions:[]CustomResourceDefinitionCondition acceptedNames:CustomResourceDefinitionNames storedVersions:[]string
        CustomResourceDefinitionNames plural!:string singular:string shortNames:[]string kind!:string listKind:string categories:[]string
        CustomResourceDefinitionVersion name!:string served!:bool storage!:bool deprecated:bool deprecationWarning:string schema:CustomResourceValidation subresources:CustomResourceSubresources additionalPrinterColumns:[]CustomResourceColumnDefinition selectableFields:[]SelectableField
        CustomResourceConversion strategy!:string webhook:WebhookConversion
        CustomResourceDefinitionCondition type!:string status!:string lastTransitionTime:time reason:string message:string
        CustomResourceValidation openAPIV3Schema:JSONSchemaProps
        CustomResourceSubresources status:CustomResourceSubresourceStatus scale:CustomResourceSubresourceScale
        CustomResourceColumnDefinition name!:string type!:string format:string description:string priority:int32 jsonPath!:string
        SelectableField jsonPath!:string
        WebhookConversion clientConfig:WebhookClientConfig conversionReviewVersions!:[]string
        JSONSchemaProps id:string $schema:string $ref:string description:string type:string format:string title:string default:JSON maximum:float64 exclusiveMaximum:bool minimum:float64 exclusiveMinimum:bool maxLength:int64 minLength:int64 pattern:string maxItems:int64 minItems:int64 uniqueItems:bool multipleOf:float64 enum:[]JSON maxProperties:int64 minProperties:int64 required:[]string items:JSONSchemaPropsOrArray allOf:[]JSONSchemaProps oneOf:[]JSONSchemaProps anyOf:[]JSONSchemaProps not:JSONSchemaProps properties:map:JSONSchemaProps additionalProperties:JSONSchemaPropsOrBool patternProperties:map:JSONSchemaProps dependencies:map:JSONSchemaPropsOrStringArray additionalItems:JSONSchemaPropsOrBool definitions:map:JSONSchemaProps externalDocs:ExternalDocumentation example:JSON nullable:bool x-kubernetes-preserve-unknown-fields:bool x-kubernetes-embedded-resource:bool x-kubernetes-int-or-string:bool x-kubernetes-list-map-keys:[]string x-kubernetes-list-type:string x-kubernetes-map-type:string x-kubernetes-validations:[]ValidationRule
        CustomResourceSubresourceScale specReplicasPath!:string statusReplicasPath!:string labelSelectorPath:string
        WebhookClientConfig url:string service:ServiceReference caBundle:bytes
        ExternalDocumentation description:string url:string
        ValidationRule rule!:string message:string messageExpression:string reason:string{FieldValueDuplicate,FieldValueForbidden,FieldValueInvalid,FieldValueRequired} fieldPath:string optionalOldSelf:bool
        ServiceReference namespace!:string name!:string path:string port:int32
        CustomResourceSubresourceStatus
        ~JSON
        ~JSONSchemaPropsOrBool
        ~JSONSchemaPropsOrArray
        ~JSONSchemaPropsOrStringArray
        """;

    public const string Authentication = """
        =TokenRequest spec!:TokenRequestSpec status:TokenRequestStatus
        TokenRequestSpec audiences!:[]string expirationSeconds:int64 boundObjectRef:BoundObjectReference
        TokenRequestStatus token!:string expirationTimestamp!:time
        BoundObjectReference kind:string apiVersion:string name:string uid:string
        =TokenReview spec!:TokenReviewSpec status:TokenReviewStatus
        TokenReviewSpec token:string audiences:[]string
        TokenReviewStatus authenticated:bool user:UserInfo audiences:[]string error:string
        UserInfo username:string uid:string groups:[]string extra:map:[]string
        =SelfSubjectReview status:SelfSubjectReviewStatus
        SelfSubjectReviewStatus userInfo:UserInfo
        """;

    public const string Authorization = """
        =SubjectAccessReview spec!:SubjectAccessReviewSpec status:SubjectAccessReviewStatus
        SubjectAccessReviewSpec resourceAttributes:ResourceAttributes nonResourceAttributes:NonResourceAttributes user:string groups:[]string extra:map:[]string uid:string
        SubjectAccessReviewStatus allowed!:bool denied:bool reason:string evaluationError:string
        ResourceAttributes namespace:string verb:string group:string version:string resource:string subresource:string name:string fieldSelector:FieldSelectorAttributes labelSelector:LabelSelectorAttributes
        NonResourceAttributes path:string verb:string
        FieldSelectorAttributes rawSelector:string requirements:[]FieldSelectorRequirement
        LabelSelectorAttributes rawSelector:string requirements:[]LabelSelectorRequirement
        =LocalSubjectAccessReview spec!:SubjectAccessReviewSpec status:SubjectAccessReviewStatus
        =SelfSubjectAccessReview spec!:SelfSubjectAccessReviewSpec status:SubjectAccessReviewStatus
        SelfSubjectAccessReviewSpec resourceAttributes:ResourceAttributes nonResourceAttributes:NonResourceAttributes
        =SelfSubjectRulesReview spec!:SelfSubjectRulesReviewSpec status:SubjectRulesReviewStatus
        SelfSubjectRulesReviewSpec namespace:string
        SubjectRulesReviewStatus resourceRules!:[]ResourceRule nonResourceRules!:[]NonResourceRule incomplete!:bool evaluationError:string
        ResourceRule verbs!:[]string apiGroups:[]string resources:[]string resourceNames:[]string
        NonResourceRule verbs!:[]string nonResourceURLs:[]string
        """;

    public const string Autoscaling = """
        =Scale spec:ScaleSpec status:ScaleStatus
        ScaleSpec replicas:int32
        ScaleStatus replicas!:int32 selector:string
        """;
}
