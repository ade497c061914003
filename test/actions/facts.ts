/** A policy over real parts in a temporary folder; only the network it asks about is made up. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Action } from '../../src/actions/action.ts';
import { Enforcer } from '../../src/actions/enforcer.ts';
import { Journal } from '../../src/actions/journal.ts';
import { NeverBlock, type NeverBlockFacts } from '../../src/actions/never-block.ts';
import { networkOf } from '../../src/actions/network-setting.ts';
import { Policy, type PolicyOptions } from '../../src/actions/policy.ts';
import type { PolicyFacts } from '../../src/actions/prevalence.ts';
import { blockSettings } from '../../src/actions/settings.ts';
import { popularDomains } from '../../src/app/judging.ts';
import { schemaOf } from '../../src/app/config-schema.ts';
import type { Finding } from '../../src/core/alert.ts';
import type { Block } from '../../src/core/block.ts';
import { hostingSuffix, registrable } from '../../src/enrich/public-suffix.ts';

export const HOUR = 3_600_000;

export const NEVER_FACTS: NeverBlockFacts = {
  registrable: (name) => registrable(name).domain,
  isHosting: (name) => hostingSuffix(name) === name,
  domains: ['allowed.example', 'corp.example.net'],
  popular: popularDomains({ popular: undefined }),
  networks: ['192.0.2.53', '9.9.9.0/24', '2620:fe::fe', '8.8.4.4'].map(networkOf),
};

/** An action that remembers what it was told. */
export class Remembering implements Action {
  readonly kinds = ['domain', 'client', 'address'] as const;
  blocks: readonly Block[] = [];
  isBroken = false;
  calls = 0;

  async apply(blocks: readonly Block[]): Promise<void> {
    this.calls++;
    if (this.isBroken) throw new Error('it is broken');
    this.blocks = blocks;
  }

  async close(): Promise<void> {}

  get values(): string[] {
    return this.blocks.map(({ value }) => value).sort();
  }
}

export interface Scene {
  policy: Policy;
  action: Remembering;
  enforcer: Enforcer;
  /** What it asks about the network. */
  facts: { clients: number; of: number; domainsAt: number; servers: string[]; active: number };
  clock: { now: number };
  raised: Finding[];
  said: string[];
  path: string;
  /** The same journal, read by a next start. */
  again(): Promise<Scene>;
}

export interface SceneOptions {
  enforce?: string[];
  knowsClients?: boolean;
  facts?: Partial<PolicyFacts>;
  settings?: Record<string, unknown>;
}

export function temporary(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'nametap-block-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export function scene(t: TestContext, options: SceneOptions = {}, path = join(temporary(t), 'blocks.ndjson')): Scene {
  return begin(t, options, path, { now: Date.UTC(2026, 0, 5) });
}

function begin(t: TestContext, options: SceneOptions, path: string, clock: { now: number }): Scene {
  const { enforce = ['TUN-BYTES', 'INTEL'], knowsClients = true } = options;
  const facts = { clients: 1, of: 50, domainsAt: 1, servers: [] as string[], active: 100 };
  const action = new Remembering();
  const said: string[] = [];
  const enforcer = new Enforcer('memory', 'memory', action, (_, message) => said.push(message));
  const raised: Finding[] = [];
  const config: PolicyOptions['config'] = schemaOf(blockSettings).parse(options.settings ?? {}) as never;
  const policy = new Policy({
    config,
    enforces: (id) => enforce.includes(id),
    enforcing: () => enforce,
    knowsClients,
    never: new NeverBlock(NEVER_FACTS),
    facts: {
      use: async () => ({ clients: facts.clients, of: facts.of }),
      domainsAt: async () => facts.domainsAt,
      answers: async (address) => facts.servers.includes(address),
      active: async () => facts.active,
      ...options.facts,
    },
    journal: new Journal(path),
    enforcers: [enforcer],
    version: '1.2.3',
    now: () => clock.now,
    raise: (finding) => raised.push(finding),
    failed: (message) => said.push(message),
  });
  policy.start();
  t.after(() => policy.close());
  const again = async () => {
    await policy.close();
    return begin(t, options, path, clock);
  };
  return { policy, action, enforcer, facts, clock, raised, said, path, again };
}

export function finding(detector: string, domain: string, more: Partial<Finding> = {}): Finding {
  return {
    detector,
    key: domain,
    severity: 'high',
    score: 0.9,
    confidence: 0.9,
    time: 1,
    firstSeen: 0,
    lastSeen: 1,
    count: 10,
    subject: domain,
    client: '10.0.0.7',
    domain,
    title: `4.1 kB of names under ${domain}`,
    text: '',
    measures: [],
    evidence: [{ transaction: '0011223344556677', time: 1, client: '10.0.0.7', server: '192.0.2.53' }],
    attack: ['T1048.003'],
    proposal: { kind: 'domain', value: domain, text: `Block ${domain}` },
    ...more,
  };
}
