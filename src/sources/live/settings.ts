import { choice, flag, group, list, optionalGroup, size, span, text, whole } from '../../core/settings.ts';
import { DEFAULTS } from './options.ts';

/** Layer `capture`: where messages come from. */
export const captureSettings = group('Where messages come from: interfaces, or dnstap, or capture files.', {
  interfaces: list(
    'Interfaces to listen on; `any` is all of them; `none`: only what others keep in the store is shown.',
    text('Name as in `ip link`, `any` or `none`.'),
    {
      default: ['any'],
      letter: 'i',
    },
  ),
  filter: text("Capture filter in tcpdump's language; replaces the built-in one for DNS.", {
    example: 'udp port 53 or tcp port 53',
    letter: 'f',
  }),
  snaplen: whole('Most bytes kept of a frame.', { default: DEFAULTS.snaplen, least: 96, most: 262_144 }),
  promiscuous: flag('Also frames for other stations.', { default: true }),
  ring: size('Kernel memory for captured frames, of all threads together.', { default: '64MiB', least: 1 << 20 }),
  block_timeout: span('Longest wait for a part-filled block of packets.', { default: '20ms', least: 1, most: 1000 }),
  udp_ports: list('Further UDP ports that carry DNS.', whole('Port.', { least: 1, most: 65_535 })),
  tcp_ports: list('Further TCP ports that carry DNS.', whole('Port.', { least: 1, most: 65_535 })),
  encrypted: choice(
    'Encrypted DNS that is let through too, so that EVADE can tell who speaks it: `dns`, the ports of DoT and DoQ (853, 784, 8853; as many packets again as clients that use them send); `web`, also what goes to port 443 (every packet of the web in one direction: dear on a busy link).',
    ['off', 'dns', 'web'],
    { default: 'dns' },
  ),
  family: choice('Only one of the IP versions.', ['both', 'ipv4', 'ipv6'], { default: 'both' }),
  sample: whole('Only one in so many clients; counts say so.', { default: 1, least: 1, most: 999_999 }),
  sample_when_full: flag('Fewer clients while the ring stays nearly full; what is left out is counted.', {
    default: true,
  }),
  user: text('User to become once capture has begun (default: SUDO_USER, else nobody); root keeps all rights.', {
    example: 'nametap',
  }),
  files: list('Capture files to read instead of interfaces; times are those of the packets.', text('File.')),
  folder: text('Folder watched for new capture files, instead of interfaces.', { example: '/var/spool/dns' }),
  dnstap: list(
    'Messages of dnstap or PowerDNS senders, instead of interfaces.',
    text(
      'dnstap: `unix:/PATH`, `tcp:HOST:PORT`, `tcp:PORT` or a file; PowerDNS: `powerdns:HOST:PORT`, `powerdns:PORT`.',
    ),
    { example: ['unix:/run/nametap/dnstap.sock'] },
  ),
  dnstap_tls: optionalGroup('TLS of dnstap listeners on TCP.', {
    certificate: text('Certificate (PEM).', { required: true, example: '/etc/nametap/cert.pem' }),
    key: text('Key of the certificate (PEM).', { required: true, example: '/etc/nametap/key.pem' }),
    client_authority: text('Authority (PEM) whose certificate a sender must show.', {
      example: '/etc/nametap/senders.pem',
    }),
  }),
});
