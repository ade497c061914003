import type { Endpoint } from '../endpoint.ts';
import { actOnAlert, alertEvents, alerts, oneAlert } from './alerts.ts';
import { audit } from './audit.ts';
import { addBlock, flushBlocks, listBlocks, previewBlock, reportBlocks, resumeBlocks, undoBlock } from './blocks.ts';
import { BASELINE } from './baseline.ts';
import { clients } from './clients.ts';
import { cofInfo, cofQuery } from './cof.ts';
import { config } from './config.ts';
import { DNSDB } from './dnsdb.ts';
import { exported } from './export.ts';
import { fields } from './fields.ts';
import { movers } from './movers.ts';
import { names } from './names.ts';
import { overview } from './overview.ts';
import { pdns, pdnsLearn, pdnsMany } from './pdns.ts';
import { PROBE_ENDPOINTS } from './probes.ts';
import { sensors } from './sensors.ts';
import { servers } from './servers.ts';
import { closeSession, openSession, readSession } from './session.ts';
import { statistics } from './statistics.ts';
import { tail } from './tail.ts';
import { trace } from './trace.ts';
import { transaction, transactions } from './transactions.ts';
import { deleteView, listViews, saveView } from './views.ts';

/** Every endpoint: one line each. */
export const ENDPOINTS: readonly Endpoint[] = [
  overview,
  statistics,
  transactions,
  transaction,
  tail,
  movers,
  names,
  clients,
  servers,
  pdns,
  pdnsMany,
  pdnsLearn,
  cofQuery,
  cofInfo,
  ...DNSDB,
  ...BASELINE,
  sensors,
  ...PROBE_ENDPOINTS,
  trace,
  alerts,
  alertEvents,
  oneAlert,
  actOnAlert,
  listBlocks,
  previewBlock,
  addBlock,
  undoBlock,
  flushBlocks,
  reportBlocks,
  resumeBlocks,
  listViews,
  saveView,
  deleteView,
  exported,
  fields,
  config,
  audit,
  readSession,
  openSession,
  closeSession,
];
