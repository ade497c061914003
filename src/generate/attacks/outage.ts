import { addressText } from '../../core/address.ts';
import type { ScenarioDefinition } from '../scenario.ts';
import type { Stage } from '../stage.ts';

const SECONDS = 600;

/** Something of a resolver fails for ten minutes. */
function during(stage: Stage, from: number, set: (isOn: boolean) => void): void {
  for (const [time, isOn] of [
    [from, true],
    [from + SECONDS, false],
  ] as const) {
    stage.schedule(time, () => {
      set(isOn);
      return undefined;
    });
  }
}

export const servfailOutage: ScenarioDefinition = {
  name: 'servfail',
  summary: 'a resolver loses its way out: SERVFAIL for all that is not in its cache, for ten minutes',
  detectors: ['OPS-SERVFAIL'],
  start(stage, from) {
    const [resolver] = stage.resolvers;
    during(stage, from, (isOn) => {
      resolver.isFailing = isOn;
    });
    const subject = addressText(resolver.address.family, ...resolver.address.words);
    const { detectors } = servfailOutage;
    stage.label({ scenario: 'servfail', detectors, from, to: from + SECONDS, subject });
  },
};

export const unanswered: ScenarioDefinition = {
  name: 'unanswered',
  summary: 'a resolver says nothing any more, for ten minutes',
  detectors: ['OPS-UNANSWERED', 'OPS-SILENT'],
  start(stage, from) {
    const [resolver] = stage.resolvers;
    during(stage, from, (isOn) => {
      resolver.silentUntil = isOn ? from + SECONDS : Number.NEGATIVE_INFINITY;
    });
    const subject = addressText(resolver.address.family, ...resolver.address.words);
    const { detectors } = unanswered;
    stage.label({ scenario: 'unanswered', detectors, from, to: from + SECONDS, subject });
  },
};

export const lame: ScenarioDefinition = {
  name: 'lame',
  summary: 'the servers that a domain is delegated to refuse to answer for it',
  detectors: ['OPS-LAME', 'OPS-SERVFAIL'],
  needsUpstream: true,
  start(stage, from) {
    const { random, world, clients } = stage;
    const zone = world.addZone('forgotten-delegation.net', 1);
    const [name] = zone.hosts;
    name.ttl = 60;
    for (const client of clients.slice(0, 20)) {
      stage.schedule(stage.start + random.next() * 600, (now) => {
        stage.ask(client, name, 1, now);
        return now + random.exponential(600);
      });
    }
    during(stage, from, (isOn) => {
      zone.state = isOn ? 'lame' : 'ok';
    });
    const { detectors } = lame;
    stage.label({ scenario: 'lame', detectors, from, to: from + SECONDS, subject: zone.domain });
  },
};

export const truncated: ScenarioDefinition = {
  name: 'truncated',
  summary: 'large answers are truncated, and the firewall lets no TCP to port 53',
  detectors: ['OPS-TC'],
  start(stage, from) {
    const { random, resolvers, clients, world } = stage;
    const { address: server } = resolvers[0];
    const zone = world.addZone('many-keys-mail.org', 0);
    const one = { server, name: `_dkim.${zone.domain}`, type: 'TXT', udpSize: 512 };
    let n = 0;
    stage.schedule(from, (time) => {
      const { address: client } = random.pick(clients);
      const ids = { id: random.int(65_536), clientPort: 32_768 + random.int(28_000) };
      const retry = { ...one, ...ids, time: time + 0.02, client, transport: 'tcp' as const };
      stage.say({ ...one, time, client, tc: true, latencyMs: 12, retry });
      stage.say(retry);
      return ++n < 60 ? time + random.exponential(8) : undefined;
    });
    const subject = addressText(server.family, ...server.words);
    stage.label({ scenario: 'truncated', detectors: truncated.detectors, from, to: from + SECONDS, subject });
  },
};
