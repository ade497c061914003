import { sinkContract } from './contract.ts';
import { dnstapReceiver, searchReceiver, syslogReceiver } from './receivers.ts';

sinkContract('syslog', syslogReceiver, { awayMs: 700, kills: 2 });
sinkContract('dnstap', dnstapReceiver, { awayMs: 700, kills: 2 });
sinkContract('opensearch', searchReceiver, { awayMs: 700, kills: 2 });
