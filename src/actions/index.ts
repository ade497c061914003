import { fileAction } from './file.ts';
import { nftablesAction } from './nftables.ts';
import { rpzAction } from './rpz.ts';
import { webhookAction } from './webhook.ts';

/** The ways to block by what the configuration calls them, in the order of the reference. */
export const ACTIONS = {
  rpz: rpzAction,
  file: fileAction,
  nftables: nftablesAction,
  webhook: webhookAction,
} as const;
