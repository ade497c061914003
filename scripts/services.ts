/**
 * Real servers for tests, as plain processes on loopback in a temporary folder: starts one, prints its address, and stops
 * it with the first signal.
 *
 *   node scripts/run.mjs scripts/services.ts start NAME
 *
 * `install NAME` only fetches what it needs into `.cache/services`, for those that need anything.
 */
import { existsSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** What a file in `services/` gives. Everything else about a server is its own. */
interface Running {
  /** Where it listens, as clients want it. */
  readonly address: string;
  stop(): Promise<void>;
}

const folder = new URL('./services/', import.meta.url);
const [action, name = ''] = process.argv.slice(2);
const file = new URL(`./services/${name}.ts`, import.meta.url);
if (!/^(?:start|install)$/.test(action ?? '') || !/^[a-z]+$/.test(name) || !existsSync(file)) {
  const names = readdirSync(fileURLToPath(folder)).flatMap((one) => /^([a-z]+)\.ts$/.exec(one)?.[1] ?? []);
  process.stderr.write(`usage: services.ts start|install ${names.join('|')}\n`);
  process.exit(1);
}
const { start, install } = (await import(file.href)) as { start(): Promise<Running>; install?(): unknown };
if (action === 'install') {
  await install?.();
  process.exit(0);
}
const running = await start();
process.stdout.write(`${running.address}\n`);
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void running.stop().then(() => process.exit(0)));
}
// Until then it runs, whether or not its process keeps this one alive.
setInterval(() => {}, 1 << 30);
