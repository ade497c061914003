import { UserError } from '../../core/errors.ts';
import type { DelegationSigner } from './keys.ts';

/** The root's trust anchors (IANA, root-anchors.xml: KSK-2017, KSK-2024). */
export const ROOT_ANCHORS: readonly string[] = [
  '20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D',
  '38696 8 2 683D2D0ACB8C9B712A1948B27F741219298D0A450D612C483AF444A4C0FB2B16',
];

/** Reads the rdata of a DS record as text (RFC 4034 §5.3). Throws `UserError`. */
export function parseAnchor(text: string): DelegationSigner {
  const [tag, algorithm, digestType, ...hex] = text.trim().split(/\s+/);
  const digest = hex.join('');
  const numbers = [tag, algorithm, digestType].map(Number);
  const isSound =
    numbers.every((n) => Number.isInteger(n) && n >= 0) && numbers[0] < 65_536 && /^([0-9a-f]{2})+$/i.test(digest);
  if (!isSound) {
    throw new UserError(`'${text}' is no trust anchor. Write the data of a DS record, such as '${ROOT_ANCHORS[0]}'.`);
  }
  return { tag: numbers[0], algorithm: numbers[1], digestType: numbers[2], digest: Buffer.from(digest, 'hex') };
}
