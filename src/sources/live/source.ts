import { EXIT, UserError } from '../../core/errors.ts';
import type { Source } from '../../core/frames.ts';
import type { LiveOptions } from './options.ts';

/**
 * Opens interfaces for capture. Sockets are open when it resolves: rights may be dropped then.
 * Throws UserError: exit code 2 without the right or the interface, 4 for a capture filter that cannot be compiled.
 */
export async function openLive(options: LiveOptions): Promise<Source> {
  if (options.interfaces.length === 0) {
    throw new UserError('No interface is given. Name one with -i (nametap interfaces lists them).', EXIT.interface);
  }
  // What calls into the system is loaded only for those who capture.
  if (usesRing(options.backend)) return (await import('./ring-source.ts')).openRing(options);
  return (await import('./pcap-source.ts')).openPcap(options);
}

/** The ring is Linux's; `NAMETAP_CAPTURE=libpcap` chooses libpcap there too. */
function usesRing(backend: LiveOptions['backend'] = 'auto'): boolean {
  if (backend !== 'auto') return backend === 'ring';
  return process.platform === 'linux' && process.env.NAMETAP_CAPTURE !== 'libpcap';
}
