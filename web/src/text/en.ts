import { alerts } from './en/alerts.ts';
import { blocks } from './en/blocks.ts';
import { clients } from './en/clients.ts';
import { domains } from './en/domains.ts';
import { explore } from './en/explore.ts';
import { latency } from './en/latency.ts';
import { overview } from './en/overview.ts';
import { pdns } from './en/pdns.ts';
import { probes } from './en/probes.ts';
import { sensors } from './en/sensors.ts';
import { settings } from './en/settings.ts';
import { shell } from './en/shell.ts';
import { statistics } from './en/statistics.ts';
import { trace } from './en/trace.ts';

/** English, by page. A page adds its file and a line here (and its twin in zh.ts). */
export const en = {
  ...shell,
  ...overview,
  ...alerts,
  ...blocks,
  ...clients,
  ...domains,
  ...explore,
  ...latency,
  ...pdns,
  ...probes,
  ...sensors,
  ...settings,
  ...statistics,
  ...trace,
};
