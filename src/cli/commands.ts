import type { CommandDefinition } from '../core/definition.ts';
import { completionCommand } from './completion.ts';
import { manualCommand } from './manual.ts';
import { version } from './version.ts';

interface CommandEntry {
  name: string;
  /** A command is loaded when it is called, so that each starts as fast as it can. */
  load(): Promise<CommandDefinition>;
}

/** The commands, in the order of help and manual. */
export const COMMANDS: readonly CommandEntry[] = [
  { name: 'start', load: async () => (await import('./start.ts')).start },
  { name: 'watch', load: async () => (await import('./watch.ts')).watch },
  { name: 'top', load: async () => (await import('./top.ts')).top },
  { name: 'read', load: async () => (await import('./read.ts')).read },
  { name: 'report', load: async () => (await import('./report.ts')).report },
  { name: 'detect', load: async () => (await import('./detect.ts')).detect },
  { name: 'analyze', load: async () => (await import('./analyze.ts')).analyze },
  { name: 'serve', load: async () => (await import('./serve.ts')).serve },
  { name: 'ship', load: async () => (await import('./ship.ts')).ship },
  { name: 'work', load: async () => (await import('./work.ts')).work },
  { name: 'query', load: async () => (await import('./query.ts')).query },
  { name: 'trace', load: async () => (await import('./trace.ts')).trace },
  { name: 'probe', load: async () => (await import('./probe.ts')).probe },
  { name: 'discover', load: async () => (await import('./discover.ts')).discover },
  { name: 'compare', load: async () => (await import('./compare.ts')).compare },
  { name: 'replay', load: async () => (await import('./replay.ts')).replay },
  { name: 'search', load: async () => (await import('./search.ts')).search },
  { name: 'pdns', load: async () => (await import('./pdns.ts')).pdns },
  { name: 'alerts', load: async () => (await import('./alerts.ts')).alerts },
  { name: 'rules', load: async () => (await import('./rules.ts')).rules },
  { name: 'block', load: async () => (await import('./block.ts')).block },
  { name: 'baseline', load: async () => (await import('./baseline.ts')).baseline },
  { name: 'store', load: async () => (await import('./store.ts')).store },
  { name: 'generate', load: async () => (await import('./generate.ts')).generate },
  { name: 'fields', load: async () => (await import('./fields.ts')).fields },
  { name: 'interfaces', load: async () => (await import('./interfaces.ts')).interfaces },
  { name: 'config', load: async () => (await import('./config.ts')).config },
  { name: 'doctor', load: async () => (await import('./doctor.ts')).doctor },
  { name: 'completion', load: async () => completionCommand(everyCommand) },
  { name: 'man', load: async () => manualCommand(everyCommand, version()) },
];

/** All definitions: for help, completion and manual. */
export async function everyCommand(): Promise<CommandDefinition[]> {
  return Promise.all(COMMANDS.map(({ load }) => load()));
}
