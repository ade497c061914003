import { createServer as createHttp, type IncomingHttpHeaders } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

/** Something that listens on this machine, can be killed, and be started again at the same place. */
export class Listener {
  readonly #make: () => Server;
  #server: Server;
  readonly #sockets = new Set<Socket>();
  port = 0;

  constructor(make: () => Server) {
    this.#make = make;
    this.#server = make();
  }

  async start(): Promise<this> {
    this.#server = this.#make();
    this.#server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => this.#sockets.delete(socket));
    });
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.port, '127.0.0.1', resolve);
    });
    this.port = (this.#server.address() as AddressInfo).port;
    return this;
  }

  /** Ends it at once, as a crash would. */
  async kill(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#sockets) socket.resetAndDestroy();
    await closed;
  }
}

export interface Posted {
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
}

/** A web server that keeps what is posted; `status` is what it answers. */
export function httpReceiver(posted: Posted[], status: () => number = () => 200): Promise<Listener> {
  return new Listener(() =>
    createHttp((request, response) => {
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => {
        const code = status();
        const { url: path = '', headers } = request;
        if (code < 300) posted.push({ path, headers, body: Buffer.concat(parts).toString() });
        response.writeHead(code).end();
      });
    }),
  ).start();
}

/** A syslog receiver on TCP with counted octets (RFC 6587 §3.4.1). */
export function syslogReceiver(messages: string[]): Promise<Listener> {
  return new Listener(() =>
    createServer((socket) => {
      let rest = Buffer.alloc(0);
      socket.on('data', (bytes: Buffer) => {
        rest = Buffer.concat([rest, bytes]);
        for (;;) {
          const blank = rest.indexOf(0x20);
          const end = blank + 1 + Number(rest.subarray(0, Math.max(0, blank)).toString());
          if (blank < 0 || rest.length < end) return;
          messages.push(rest.subarray(blank + 1, end).toString());
          rest = rest.subarray(end);
        }
      });
    }),
  ).start();
}

export interface Mail {
  from: string;
  to: string[];
  data: string;
}

/** A mail server as small as RFC 5321 allows: no extensions. `refuse`: receivers it does not know. */
export function smtpReceiver(mails: Mail[], refuse: (to: string) => boolean = () => false): Promise<Listener> {
  return new Listener(() =>
    createServer((socket) => {
      let mail: Mail = { from: '', to: [], data: '' };
      let isData = false;
      let rest = '';
      const say = (line: string) => socket.write(`${line}\r\n`);
      const command = (line: string) => {
        const address = /<(.*?)>/.exec(line)?.[1] ?? '';
        if (/^MAIL/i.test(line)) mail = { from: address, to: [], data: '' };
        else if (/^RCPT/i.test(line)) {
          if (refuse(address)) return say('550 no such user');
          mail.to.push(address);
        } else if (/^DATA/i.test(line)) {
          isData = true;
          return say('354 go on');
        } else if (/^QUIT/i.test(line)) return socket.end('221 bye\r\n');
        return say('250 ok');
      };
      say('220 test');
      socket.on('data', (bytes: Buffer) => {
        rest += bytes.toString();
        for (;;) {
          const mark = isData ? '\r\n.\r\n' : '\r\n';
          const at = rest.indexOf(mark);
          if (at < 0) return;
          const text = rest.slice(0, at);
          rest = rest.slice(at + mark.length);
          if (isData) {
            isData = false;
            mails.push({ ...mail, data: text.replace(/^\.\./gm, '.') });
            say('250 taken');
          } else command(text);
        }
      });
    }),
  ).start();
}
