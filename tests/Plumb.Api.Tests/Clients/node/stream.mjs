// exec and port-forward by @kubernetes/client-node, told as two lines. Arguments: the server's address, and a port on which somebody echoes.
import * as k8s from '@kubernetes/client-node';
import { PassThrough, Readable, Writable } from 'node:stream';

const [server, port] = process.argv.slice(2);
const config = new k8s.KubeConfig();
config.loadFromClusterAndUser({ name: 'plumb', server, skipTLSVerify: true }, { name: 'somebody' });

function collect() {
  const chunks = [];
  const stream = new Writable({ write(chunk, _, done) { chunks.push(Buffer.from(chunk)); done(); } });
  return [stream, () => Buffer.concat(chunks).toString()];
}

const [out, outText] = collect();
const [err, errText] = collect();
const command = ['sh', '-c', 'head -c 5; echo " out"; echo wrong >&2; exit 7'];
const status = await new Promise((resolve) => new k8s.Exec(config).exec('default', 'p', 'c', command, out, err, Readable.from(['input']), false, resolve));
console.log(`exec ${JSON.stringify([outText(), errText(), status.status, status.details?.causes?.[0]?.message])}`);

const [back, backText] = collect();
const there = new PassThrough();
await new k8s.PortForward(config).portForward('default', 'p', [Number(port)], back, null, there);
there.write('across');
while (backText() !== 'across') await new Promise((resolve) => setTimeout(resolve, 5));
console.log('port-forward across');
process.exit(0);
