import { sinkContract } from './contract.ts';
import { dnstapReceiver, syslogReceiver } from './receivers.ts';

sinkContract('syslog', syslogReceiver, { awayMs: 1000, kills: 3 });
sinkContract('dnstap', dnstapReceiver, { awayMs: 1000, kills: 3 });
