import { characterStrings } from '../wire/field.ts';
import { rrType } from './define.ts';

export const CLA = rrType(263, 'CLA', 'draft-johnson-dns-ipn-cla', 'Convergence layer adapters of a bundle node.', {
  strings: characterStrings.as('', 'Character-strings, boundaries kept'),
});
