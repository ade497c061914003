import type { Severity } from '../../core/alert.ts';
import { choice, group, type ValueOf } from '../../core/settings.ts';
import { peerSetting, TLS_SETTINGS } from '../../sinks/peer.ts';
import { FACILITIES, type Facility, FACILITY_NAMES, syslogTarget } from '../../sinks/syslog-target.ts';
import type { AlertDocument } from '../document.ts';
import { COMMON, type Notice, type OutputContext, type OutputDefinition } from './output.ts';

const settings = group('Syslog (RFC 5424) with a message in CEF 0, over UDP, TCP, TLS or a Unix socket.', {
  to: peerSetting(['udp', 'tcp', 'tls', 'unix'], 'tls:siem.example.net:6514'),
  facility: choice('Facility.', FACILITY_NAMES, { default: 'local0' }),
  ...TLS_SETTINGS,
  ...COMMON,
});
type Settings = ValueOf<typeof settings>;

/** RFC 5424 §6.2.1, and the scale of CEF. */
const LEVELS: Record<Severity, { syslog: number; cef: number }> = {
  low: { syslog: 5, cef: 3 },
  medium: { syslog: 4, cef: 5 },
  high: { syslog: 3, cef: 8 },
  critical: { syslog: 2, cef: 10 },
};

/** Common Event Format to a SIEM. */
export const syslog: OutputDefinition<Settings> = {
  settings,
  open(options, context) {
    const target = syslogTarget(options, () => context.retry());
    return {
      async send(notice, signal) {
        const bytes = notice === null ? new Uint8Array(0) : encoded(syslogMessage(notice, options.facility, context));
        const ends = notice === null ? [] : [bytes.length];
        await target.send({ bytes, ends, rows: ends.length }, signal);
      },
      close: () => target.close(),
    };
  },
};

function encoded(message: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(message);
}

function syslogMessage({ cause, alert, at }: Notice, facility: Facility, context: OutputContext): string {
  const priority = FACILITIES[facility] * 8 + LEVELS[alert.severity].syslog;
  const host = context.sensor.replace(/[^\x21-\x7e]/g, '_').slice(0, 255) || '-';
  const head = `<${priority}>1 ${new Date(at).toISOString()} ${host} nametap ${process.pid} alert -`;
  // MSG is UTF-8 and says so (RFC 5424 §6.4).
  return `${head} \u{feff}${cefOf(alert, cause, context)}`;
}

/** An alert as CEF 0: escaped head, then an extension of standard keys. */
export function cefOf(alert: AlertDocument, cause: Notice['cause'], context: OutputContext): string {
  const head = ['nametap', 'nametap', context.version, alert.detector, alert.title, String(LEVELS[alert.severity].cef)];
  const url = context.link(alert.id);
  const extension: [string, string | number | null][] = [
    ['externalId', alert.id],
    ['act', cause],
    ['rt', Date.parse(alert.updated)],
    ['start', Date.parse(alert.first_seen)],
    ['end', Date.parse(alert.last_seen)],
    ['cnt', alert.count],
    [addressKey('src', 'c6a2', alert.client), alert.client],
    [addressKey('dst', 'c6a3', alert.server), alert.server],
    ['destinationDnsDomain', alert.domain],
    ['app', 'DNS'],
    ['cat', alert.attack.join(' ')],
    ['cfp1', alert.score],
    ['cfp1Label', 'score'],
    ['cfp2', alert.confidence],
    ['cfp2Label', 'confidence'],
    ['cs1', alert.subject],
    ['cs1Label', 'subject'],
    ['dvchost', context.sensor],
    ['request', url],
    ['msg', alert.text],
  ];
  const written = extension.flatMap(([key, value]) =>
    value === null || value === '' ? [] : [`${key}=${escapedValue(String(value))}`],
  );
  return `CEF:0|${head.map(escapedHead).join('|')}|${written.join(' ')}`;
}

/** CEF has keys of their own for IPv6, and none for an address that is hidden. */
function addressKey(four: string, six: string, address: string | null): string {
  if (address?.includes(':')) return six;
  return address !== null && /^[\d.]+$/.test(address) ? four : 'suser';
}

function escapedHead(written: string): string {
  return written.replace(/[\\|]/g, '\\$&').replace(/[\r\n]+/g, ' ');
}

function escapedValue(written: string): string {
  return written.replace(/[\\=]/g, '\\$&').replaceAll('\r', '\\r').replaceAll('\n', '\\n');
}
