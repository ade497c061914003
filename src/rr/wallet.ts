import { characterStrings } from '../wire/field.ts';
import { rrType } from './define.ts';

export const WALLET = rrType(262, 'WALLET', 'IANA expert review', 'Wallet address.', {
  strings: characterStrings.as('', 'Character-strings, boundaries kept'),
});
