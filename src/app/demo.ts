import type { Config } from './config.ts';
import { type FrameInput, NoRightError, openInput, rightsCommand } from './input.ts';
import { type Said, say } from '../server/said.ts';
import { servePlan } from './serve-plan.ts';

/** What a demo says about itself, and the command that shows the user's own traffic instead. */
export interface Demo {
  banner: string;
  said: Said;
  command: string;
}

/**
 * The demo that a configuration asks for: always, or where this user may not capture; null otherwise. `command`: the words
 * that serve live traffic.
 */
export async function demoOf(config: Config, command: readonly string[]): Promise<Demo | null> {
  if (config.demo === 'off') return null;
  const { input } = servePlan(config, false);
  const refused = config.demo === 'auto' && input.kind === 'live' && (await isRefused(input));
  if (config.demo === 'auto' && !refused) return null;
  const { text: banner, said } = say(refused ? 'demo.refused' : 'demo.what');
  if (!refused) return { banner, said, command: 'nametap serve' };
  return { banner, said, command: process.platform === 'linux' ? rightsCommand(command) : `sudo ${command.join(' ')}` };
}

/** Whether the system refuses to capture, found out by doing it. */
async function isRefused(input: Extract<FrameInput, { kind: 'live' }>): Promise<boolean> {
  try {
    const source = await openInput({ ...input, ringBytes: 1 << 20 });
    // Stopped before it begins: it closes what it has opened.
    for await (const _ of source.batches(AbortSignal.abort())) break;
    return false;
  } catch (error) {
    if (error instanceof NoRightError) return true;
    throw error;
  }
}
