import { alerts } from './zh/alerts.ts';
import { blocks } from './zh/blocks.ts';
import { clients } from './zh/clients.ts';
import { domains } from './zh/domains.ts';
import { explore } from './zh/explore.ts';
import { latency } from './zh/latency.ts';
import { overview } from './zh/overview.ts';
import { pdns } from './zh/pdns.ts';
import { probes } from './zh/probes.ts';
import { sensors } from './zh/sensors.ts';
import { settings } from './zh/settings.ts';
import { shell } from './zh/shell.ts';
import { statistics } from './zh/statistics.ts';
import { trace } from './zh/trace.ts';
import type { Texts } from '../text.ts';

export { said } from './zh/said.ts';

/** Simplified Chinese, by page; loaded when it is chosen. */
export const zh: Texts = {
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
