import { getDomain, getPublicSuffix, parse } from 'tldts';
import { asciiReader } from '../core/ascii.ts';

// Names come from the wire: they are no URLs, and need not be host names.
const OPTIONS = { validateHostname: false, extractHostname: false, detectIp: false };
const HOSTING = { ...OPTIONS, allowPrivateDomains: true };

/** A name's public suffix and registrable domain (suffix and one label); null where there is none. */
export interface Registrable {
  domain: string | null;
  suffix: string | null;
}

/** Splits a name given as text (any case, no trailing dot) by the public suffix list (ICANN section). */
export function registrable(name: string): Registrable {
  const { domain, publicSuffix } = parse(name.toLowerCase(), OPTIONS);
  return { domain, suffix: publicSuffix === '' ? null : publicSuffix };
}

/** The suffix of a name where others register, that of a hoster (`github.io`) too. */
export function hostingSuffix(name: string): string | null {
  return getPublicSuffix(name.toLowerCase(), HOSTING);
}

const letters = new Uint8Array(256);
const lettersText = asciiReader(letters);

/**
 * Offset at which the registrable domain starts in a folded, uncompressed wire name; −1 when the name is a public suffix
 * or the root. About 400 ns: callers remember the result per name.
 */
export function registrableStart(name: Uint8Array, at = 0): number {
  let length = 0;
  let labels = 0;
  for (let i = at; name[i] !== 0; i += name[i] + 1) {
    if (labels++ > 0) letters[length++] = 0x2e;
    for (let k = 1; k <= name[i]; k++) {
      const c = name[i + k];
      // A dot within a label must not look like two labels; what stands for it does not matter, suffixes have none.
      letters[length++] = c === 0x2e || c >= 0x80 ? 0x5f : c;
    }
  }
  const domain = getDomain(lettersText(length), OPTIONS);
  if (domain === null || domain === '') return -1;
  let wanted = 1;
  for (let i = 0; i < domain.length; i++) if (domain.charCodeAt(i) === 0x2e) wanted++;
  let i = at;
  for (; labels > wanted; labels--) i += name[i] + 1;
  return i - at;
}
