import { rmSync } from 'node:fs';
import { hostname } from 'node:os';
import { EXIT, reasonOf, UserError } from '../core/errors.ts';
import type { CapturedInterface } from '../core/frames.ts';
import { keepsPackets, Privacy } from '../enrich/privacy.ts';
import { startServer } from '../server/app.ts';
import type { Check, ServerLog, ServerServices } from '../server/services.ts';
import { nowhere } from '../store/nowhere.ts';
import { openStore } from '../store/open.ts';
import { type Blocking, openBlocking } from './blocking.ts';
import type { Config, LoadedConfig } from './config.ts';
import { reloadedConfig } from './config-reload.ts';
import { DataFolder } from './data-folder.ts';
import { type Demo, demoOf } from './demo.ts';
import { type Account, accountToBecome, dropRights, isCurrent } from './input.ts';
import { type Cached, cached } from './cached-store.ts';
import { closeAll } from './close-all.ts';
import { Intake } from './intake.ts';
import { JudgeService } from './judge-service.ts';
import { OwnRegister } from '../client/own-register.ts';
import type { ProbesConfig } from '../probes/settings.ts';
import { ProbeService } from './probe-service.ts';
import { LiveTail } from './live-tail.ts';
import type { RunPlan, RunResult } from './plan.ts';
import { clientNames, withClientNames } from './named-clients.ts';
import { privacyEpochs } from './privacy-keys.ts';
import { runRows } from './run.ts';
import { Sensor } from './sensor.ts';
import { epochOf } from './ship.ts';
import type { ServeHooks, ServeResult } from './serve-hooks.ts';
import { refuseClosed, refuseSecond } from './serve-folder.ts';
import { tracedStore } from './traced-store.ts';
import { servePlan, sourceText } from './serve-plan.ts';
import { Sinks } from './sinks.ts';
import { privacySettings, privacyShown, serverOptions, servicesOf, storeOptions } from './services.ts';

/** How often counters are looked at, and the ledger is kept with the history. */
const SAMPLE_MS = 1000;
const LEDGER_MS = 60_000;
/** How often keys of pseudonyms are looked at. */
const KEYS_MS = 3_600_000;
/** Errors that repeat are said so often. */
const COMPLAINT_MS = 10_000;

/**
 * Captures (or reads, or replays), keeps and serves until the signal aborts; then what is on its way is kept, and all is
 * closed. A file that was read to its end goes on being served. Throws UserError for whatever keeps it from starting.
 */
export async function serve(loaded: LoadedConfig, hooks: ServeHooks): Promise<ServeResult> {
  const { config } = loaded;
  const demo = await demoOf(config, hooks.command);
  const plan = servePlan(config, demo !== null);
  const account = accountToBecome(config.capture.user);
  const data = new DataFolder(config.data);
  data.create();
  refuseSecond(data);
  if (account !== undefined) refuseClosed(account, data);
  // A demo has a store of its own, which begins empty.
  const folder = data.part(demo === null ? 'store' : 'demo');
  if (demo !== null) rmSync(folder, { recursive: true, force: true });
  const opened = hooks.role === 'ship' ? nowhere() : await openStore(storeOptions(config, folder));
  const { store, cache } = await cached(tracedStore(opened), config.cache);
  let blocking: Blocking | undefined;
  try {
    const path = data.part(demo === null ? 'blocks.ndjson' : 'demo-blocks.ndjson');
    blocking = await openBlocking({ config, store, path, version: hooks.version, log: hooks.log });
    return await new Serving({ loaded, hooks, plan, demo, data, store, cache, account, blocking }).run();
  } finally {
    data.withdraw();
    await blocking?.policy.close();
    cache?.close();
    await store.close();
  }
}

interface ServingParts extends Cached {
  loaded: LoadedConfig;
  hooks: ServeHooks;
  plan: RunPlan;
  demo: Demo | null;
  data: DataFolder;
  account: Account | undefined;
  blocking: Blocking;
}

class Serving {
  readonly #parts: ServingParts;
  readonly #log: ServerLog;
  readonly #live: LiveTail;
  readonly #intake: Intake;
  readonly #sensor: Sensor;
  readonly #services: ServerServices;
  /** What holds now: keys that are reloaded change. */
  #config: Config;
  readonly #sinks: Sinks;
  readonly #judge: JudgeService;
  readonly #probes: ProbeService;
  /** Sockets of nametap's commands beside it. */
  readonly #register: OwnRegister | null;
  /** The source may find more of them. */
  readonly #interfaces: CapturedInterface[] = [];
  #source: readonly CapturedInterface[] = [];
  #complained = Number.NEGATIVE_INFINITY;

  constructor(parts: ServingParts) {
    const { loaded, hooks, plan, demo, data, store, account, blocking } = parts;
    this.#parts = parts;
    this.#log = hooks.log;
    this.#config = loaded.config;
    const name = loaded.config.sensor ?? hostname();
    this.#judge = new JudgeService({
      config: loaded.config,
      store,
      version: hooks.version,
      data,
      isDemo: demo !== null,
      isCurrent: isCurrent(plan.input),
      log: hooks.log,
      failed: (error) => this.#complain(error),
    });
    this.#probes = new ProbeService({
      config: loaded.config.probes as ProbesConfig,
      store,
      version: hooks.version,
      // The book's clock is the packets': of another time, checks of now have no place in it.
      book: isCurrent(plan.input) ? this.#judge.book : null,
      own: () => this.#intake.own,
      log: hooks.log,
    });
    const marks = this.#judge.marks.texts;
    this.#live = new LiveTail(name);
    const interfaces = this.#interfaces;
    Object.assign(this.#live, { clients: clientNames(loaded.config), interfaces, marks });
    this.#sinks = new Sinks(loaded.config.sinks, {
      sensor: name,
      version: hooks.version,
      folder: data.part('sinks'),
      vantage: loaded.config.vantage ?? 'client',
      interfaces,
      marks,
      exporter: store,
      clientName: (family, words) => this.#live.clients?.name(family, words),
      owner: account,
      ...(hooks.role === 'ship' && { epoch: epochOf(plan, loaded.config, hooks.version) }),
      log: hooks.log,
    });
    // Packets of another time, or of a demo, are no reason to block anyone.
    if (plan.input.kind !== 'replay' && isCurrent(plan.input)) blocking.follow(this.#judge.book);
    // Before rights are given up: folders of the system need them.
    this.#register = isCurrent(plan.input) ? OwnRegister.open() : null;
    this.#intake = new Intake({
      store,
      origin: {
        sensor: name,
        get interfaces() {
          return interfaces.map((one) => one.name);
        },
        marks,
      },
      privacy: this.#privacy(),
      takers: hooks.role === 'ship' ? [this.#live, this.#sinks] : [this.#judge, this.#live, this.#sinks],
      waits: !isCurrent(plan.input) || plan.input.kind === 'replay',
      register: this.#register,
      failed: (error) => this.#complain(error),
    });
    this.#sensor = new Sensor({
      name,
      ...sourceText(plan.input),
      intake: this.#intake,
      isLive: isCurrent(plan.input),
      privacy: privacyShown(privacySettings(loaded.config)),
      now: Date.now,
    });
    this.#services = this.#offered();
  }

  /** What the server shows, and lets people do. */
  #offered(): ServerServices {
    const { loaded, hooks, plan, demo, data, store, blocking } = this.#parts;
    return servicesOf({
      version: hooks.version,
      loaded,
      store: withClientNames(store, () => this.#live.clients),
      live: this.#live,
      log: hooks.log,
      token: loaded.config.server.token ?? data.token(),
      demo,
      packetFolder: data.part('packets'),
      sensors: () => (plan.input.kind === 'none' ? [] : [this.#sensor.reading()]),
      sinks: () => this.#sinks.states(),
      blocks: blocking.policy,
      baselines: this.#judge.baselines,
      probes: this.#probes,
      alerts: this.#judge.book,
      outputs: () => this.#judge.outputs(),
      tables: () => this.#judge.tables(),
      cache: () => this.#parts.cache?.status() ?? null,
      checks: () => this.#checks(),
    });
  }

  async run(): Promise<ServeResult> {
    const { hooks, data, store } = this.#parts;
    const { remark } = await store.status();
    if (remark !== null) this.#log.warn({}, remark);
    const server = await startServer(this.#services);
    const timers = [
      setInterval(() => this.#sensor.sample(), SAMPLE_MS),
      setInterval(() => void this.#keepLedger(), LEDGER_MS),
      setInterval(() => this.#renewKeys(), KEYS_MS),
    ];
    try {
      await this.#judge.open();
      await this.#probes.open();
      data.announce(server.url);
      hooks.measure?.(server.readings);
      hooks.reloading?.((next) => {
        this.#reload(next);
        server.reloadCertificate().catch((error: unknown) => {
          this.#log.error(
            { error: reasonOf(error) },
            'The certificate could not be read again: the one before is used on',
          );
        });
      });
      const result = await this.#capture(server.url);
      await this.#intake.settle();
      await this.#probes.close();
      const sinks = await this.#sinks.close();
      await this.#judge.close();
      await this.#keepLedger();
      await server.close();
      await store.flush();
      const { received, stored, lost } = this.#intake;
      const { ledger, damage } = result;
      return { ledger, damage, received, stored, lost, store: await store.status(), sinks };
    } finally {
      for (const timer of timers) clearInterval(timer);
      this.#register?.close();
      const failed = (error: unknown) => this.#log.error({ error: reasonOf(error) }, 'Not everything could be closed');
      await closeAll([this.#probes, this.#sinks, this.#judge, server], failed);
    }
  }

  /** Runs the input until it ends or is stopped; a file is served on. Throws UserError when a live capture breaks off. */
  async #capture(url: string): Promise<RunResult> {
    const { plan, hooks } = this.#parts;
    const sensor = this.#sensor;
    const result = await runRows(
      this.#withPackets(plan),
      {
        signal: hooks.signal,
        opened: ({ interfaces }) => {
          this.#source = interfaces;
          sensor.running = true;
          this.#opened(url);
        },
        counting: (counts) => {
          sensor.counts = counts;
          hooks.counting?.(counts);
        },
        watching: (state) => Object.assign(sensor, { state }),
        ready: () => this.#ready(),
        encrypted: (flow) => this.#intake.encrypted(flow),
      },
      (batch, from, to) => {
        while (this.#interfaces.length < this.#source.length) {
          this.#interfaces.push({ ...this.#source[this.#interfaces.length], sensor: this.#live.sensor });
        }
        this.#intake.rows(batch, from, to);
      },
    );
    sensor.counts = () => result.ledger;
    if (hooks.signal.aborted) return result;
    const why = result.damage.map(({ reason }) => reason).join('; ');
    if (plan.input.kind === 'live') {
      sensor.running = false;
      await this.#intake.settle();
      throw new UserError(`The capture has ended: ${why || 'its interface gives no more packets'}.`, EXIT.interface);
    }
    const { received, oldest, newest } = this.#intake;
    this.#log.info({ transactions: received, ...(why !== '' && { damage: why }) }, 'The input has ended');
    await this.#intake.settle();
    await this.#parts.store.flush();
    if (hooks.role !== 'ship') hooks.inputEnded?.(received, oldest, newest);
    if (hooks.signal.aborted) return result;
    const stopped = new Promise((resolve) => hooks.signal.addEventListener('abort', resolve, { once: true }));
    // A sensor has nothing to show of what it has handed over.
    await (hooks.role === 'ship' ? Promise.race([this.#sinks.handed(hooks.signal), stopped]) : stopped);
    return result;
  }

  /** What a file waits for; a live capture waits for nothing. */
  #ready(): Promise<void> | undefined {
    const { input } = this.#parts.plan;
    if (isCurrent(input) && input.kind !== 'replay') return undefined;
    const sinks = this.#sinks.ready();
    const store = this.#intake.ready();
    return sinks === undefined ? store : Promise.all([sinks, store]).then(() => undefined);
  }

  /** Page and input are open: rights are given up, and whoever started it is told. */
  #opened(url: string): void {
    const { hooks, demo, data, account, plan } = this.#parts;
    if (account !== undefined) data.giveTo(account);
    const user = dropRights(this.#config.capture.user);
    const { source, interface: on } = sourceText(plan.input);
    const { token } = this.#services.options;
    hooks.started({
      url,
      signIn: token === null ? url : `${url}/#token=${token.value}`,
      source: on === null ? source.text : `${source.text} on ${on}`,
      demo,
      user,
    });
  }

  /** The plan, with the ring of captured packets where one is wanted and allowed. */
  #withPackets(plan: RunPlan): RunPlan {
    const { packets } = this.#config.store;
    if (!packets.keep || !keepsPackets(privacySettings(this.#config)) || plan.input.kind === 'replay') return plan;
    const folder = this.#parts.data.part('packets');
    return { ...plan, packets: { folder, bytes: packets.size, fileBytes: packets.file_size } };
  }

  /** What hides clients and names; null where nothing is hidden. */
  #privacy(): Privacy | null {
    const settings = privacySettings(this.#config);
    if (keepsPackets(settings)) return null;
    const { privacy, store } = this.#config;
    const seconds = (ms: number) => (Number.isFinite(ms) ? ms / 1000 : 0);
    // Pseudonyms of the time before can be made again until nothing of that time is kept.
    const rotation = { everySeconds: seconds(privacy.rotate), keepSeconds: seconds(store.keep.transactions) };
    return new Privacy(settings, privacyEpochs(this.#parts.data.part('privacy.keys'), rotation, Date.now() / 1000));
  }

  #renewKeys(): void {
    if (this.#intake.privacy === null) return;
    try {
      this.#intake.privacy = this.#privacy();
    } catch (error) {
      this.#log.error(
        { error: reasonOf(error) },
        'The keys of pseudonyms could not be renewed: the last ones are used on',
      );
    }
  }

  /** Takes what may change at run time from a configuration that was read again; nothing else stops or starts. */
  #reload(next: LoadedConfig): void {
    const { blocking } = this.#parts;
    const { config, applied, waiting } = reloadedConfig(this.#config, next.config);
    this.#config = config;
    this.#live.clients = clientNames(config);
    const { hosts, users } = serverOptions(config, '');
    Object.assign(this.#services.options, { hosts, users });
    this.#sinks.reopen();
    this.#parts.store.keep(storeOptions(config, '').retention ?? {}).catch((error: unknown) => this.#complain(error));
    this.#sinks.apply(config.sinks).catch((error: unknown) => {
      this.#log.error({ error: reasonOf(error) }, 'Not all sinks could be changed');
    });
    this.#probes.configure(config.probes as ProbesConfig);
    void blocking.configure(config);
    this.#judge.configure(config).catch((error: unknown) => {
      this.#log.error({ error: reasonOf(error) }, 'Not all outputs of alerts could be changed');
    });
    if (applied.length > 0) this.#log.info({ keys: applied }, 'The configuration was read again');
    else this.#log.info({}, 'The configuration was read again: nothing has changed');
    if (waiting.length > 0) this.#log.warn({ keys: waiting }, 'These keys hold after the next start');
  }

  #checks(): Check[] {
    const { running: ok } = this.#sensor;
    return [{ name: 'capture', ok, detail: `The input is ${ok ? '' : 'not '}open` }, this.#judge.check()];
  }

  /** The ledger goes into the history: what was lost when can be asked later. */
  async #keepLedger(): Promise<void> {
    if (this.#parts.plan.input.kind === 'none') return;
    const { received, stored, lost } = this.#intake;
    const ledger = this.#sensor.counts().toJSON();
    try {
      await this.#parts.store.records.put('ledger', { ledger, transactions: { received, stored, lost: { ...lost } } });
    } catch (error) {
      this.#complain(error);
    }
  }

  /** Says what the store could not do, not for every batch. */
  #complain(error: unknown): void {
    if (performance.now() - this.#complained < COMPLAINT_MS) return;
    this.#complained = performance.now();
    this.#log.error(
      { error: reasonOf(error), lost: { ...this.#intake.lost } },
      'The store could not take transactions',
    );
  }
}
