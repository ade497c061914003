import { alertmanager } from './alertmanager.ts';
import { email } from './email.ts';
import { file } from './file.ts';
import { slack } from './slack.ts';
import { stix } from './stix.ts';
import { syslog } from './syslog.ts';
import { webhook } from './webhook.ts';

/** The kinds of outputs by what the configuration calls them, in the order of the reference. */
export const OUTPUTS = { webhook, alertmanager, slack, email, syslog, file, stix } as const;
