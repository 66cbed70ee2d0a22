// Drives the embedded API with @kubernetes/client-node and says, line by line, what worked: `verb resource`.
// Arguments: the kubeconfig, the folder with the manifests, and `CLIENT` as the verbs' namespace.
import * as k8s from '@kubernetes/client-node';
import { readFileSync } from 'node:fs';

const [kubeconfig, manifests] = process.argv.slice(2);
const config = new k8s.KubeConfig();
config.loadFromFile(kubeconfig);
const api = k8s.KubernetesObjectApi.makeApiClient(config);
const objects = JSON.parse(readFileSync(manifests, 'utf8'));
const say = (verb, what) => console.log(`${verb} ${what}`);
const header = ({ apiVersion, kind, metadata }) => ({ apiVersion, kind, metadata: { name: metadata.name, namespace: metadata.namespace } });

async function attempt(verb, resource, act) {
  try {
    await act();
    say(verb, resource);
  } catch (error) {
    console.error(`${verb} ${resource}: ${error.body ?? error}`);
  }
}

for (const { resource, path, object } of objects) {
  const watch = new k8s.Watch(config);
  let seen;
  const deleted = new Promise((resolve) => { seen = resolve; });
  const request = await watch.watch(path, {}, (type, changed) => { if (type === 'DELETED' && changed.metadata.name === object.metadata.name) seen(); }, () => {});
  await attempt('create', resource, () => api.create(object));
  await attempt('get', resource, () => api.read(header(object)));
  await attempt('list', resource, async () => {
    const list = await api.list(object.apiVersion, object.kind, object.metadata.namespace);
    if (!list.items.some((item) => item.metadata.name === object.metadata.name)) throw new Error('not listed');
  });
  await attempt('patch', resource, () => api.patch({ ...header(object), metadata: { ...object.metadata, annotations: { patched: 'yes' } } }, undefined, undefined, undefined, undefined, k8s.PatchStrategy.MergePatch));
  await attempt('update', resource, async () => { const now = await api.read(header(object)); now.metadata.labels = { updated: 'yes' }; await api.replace(now); });
  await attempt('apply', resource, () => api.patch(object, undefined, undefined, 'client-node', true, k8s.PatchStrategy.ServerSideApply));
  await attempt('delete', resource, () => api.delete(header(object), undefined, undefined, 0));
  await attempt('watch', resource, () => Promise.race([deleted, new Promise((_, reject) => setTimeout(() => reject(new Error('no event')), 5000))]));
  request.abort?.();
}

// An informer: list, then watch, then its cache.
const core = config.makeApiClient(k8s.CoreV1Api);
const informer = k8s.makeInformer(config, '/api/v1/namespaces/default/configmaps', () => core.listNamespacedConfigMap({ namespace: 'default' }));
const added = new Promise((resolve) => informer.on('add', (map) => { if (map.metadata.name === 'informed') resolve(); }));
await informer.start();
await core.createNamespacedConfigMap({ namespace: 'default', body: { metadata: { name: 'informed' } } });
await attempt('informer', 'configmaps', () => Promise.race([added, new Promise((_, reject) => setTimeout(() => reject(new Error('no event')), 5000))]));
await informer.stop();
process.exit(0);
