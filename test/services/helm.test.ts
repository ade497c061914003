import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments } from 'yaml';
import { goDefinitions, goTool } from '../../scripts/services/go-tools.ts';
import { loadConfig } from '../../src/app/config.ts';

const deploy = fileURLToPath(new URL('../../deploy/', import.meta.url));
const chart = join(deploy, 'helm/nametap');
const folder = mkdtempSync(join(tmpdir(), 'nametap-helm-'));
after(() => rmSync(folder, { recursive: true }));

/** Options for values `key=value`. */
const set = (...values: string[]) => values.flatMap((value) => ['--set', value]);
const NEEDED = set('kafka.brokers={kafka-0.kafka:9092,kafka-1.kafka:9092}', 'store.url=http://clickhouse:8123');
const EVERYTHING = [
  ...NEEDED,
  ...set('secrets.existingSecret=nametap-secrets', 'secrets.files.NAMETAP_SERVER_TOKEN_FILE=token'),
  ...set('metrics.serviceMonitor.enabled=true', 'metrics.prometheusRule.enabled=true', 'filebeat.enabled=true'),
  ...set('server.ingress.enabled=true', 'server.ingress.tlsSecret=tls'),
  ...set('server.autoscaling.requestsPerSecond.enabled=true'),
];
const KEDA = set('worker.autoscaling.keda.enabled=true');

function helm(...words: string[]) {
  const { status, stdout, stderr } = spawnSync(goTool('helm'), words, { encoding: 'utf8' });
  return { status, stdout, said: stdout + stderr };
}

interface Manifest {
  kind: string;
  metadata: { name: string; labels?: Record<string, string> };
  // oxlint-disable-next-line typescript/no-explicit-any -- manifests have the shape that their own schemas check below
  [key: string]: any;
}

/** The manifests that values give, as text and parsed. */
function rendered(...values: string[]): { text: string; manifests: Manifest[] } {
  const { status, said, stdout } = helm('template', 'dns', chart, '--kube-version', '1.32.0', ...values);
  assert.equal(status, 0, said);
  return { text: stdout, manifests: manifestsOf(stdout) };
}
function manifestsOf(text: string): Manifest[] {
  return parseAllDocuments(text).flatMap((document) =>
    document.contents === null ? [] : [document.toJS() as Manifest],
  );
}
function named(manifests: readonly Manifest[], kind: string, name: string): Manifest {
  const found = manifests.find((one) => one.kind === kind && one.metadata.name === name);
  assert.ok(found, `${kind} ${name}`);
  return found;
}

/** What the API server's own validation says; '' = nothing. */
function refused(text: string): string {
  const path = join(folder, 'manifests.yaml');
  writeFileSync(path, text);
  const crds = (['keda', 'prometheus-operator'] as const).flatMap((one) => ['--local-crds', goDefinitions(one)]);
  const words = [path, '--version', '1.30', ...crds];
  const { status, stdout, stderr } = spawnSync(goTool('kubectl-validate'), words, { encoding: 'utf8' });
  return status === 0 ? '' : stdout + stderr;
}

test('helm finds nothing to say about the chart', () => {
  const { status, said } = helm('lint', '--strict', chart, ...NEEDED);
  assert.equal(status, 0, said);
  assert.doesNotMatch(said, /WARNING|ERROR/);
});

test('manifests are what the API takes', () => {
  for (const values of [NEEDED, EVERYTHING, [...EVERYTHING, ...KEDA], [...NEEDED, ...set('sensor.enabled=false')]]) {
    assert.equal(refused(rendered(...values).text), '');
  }
  assert.equal(refused(readFileSync(join(deploy, 'helm/sidecar.yaml'), 'utf8')), '');
});

test('the validation refuses what is wrong', () => {
  const { text } = rendered(...EVERYTHING, ...KEDA);
  assert.match(refused(text.replace('maxUnavailable: 1\n', 'maxUnavailabel: 1\n')), /maxUnavailabel/);
  assert.match(refused(text.replace('cooldownPeriod: 300', 'cooldownPeriod: soon')), /cooldownPeriod/);
});

test('values that cannot work are refused before anything is installed', () => {
  const said = (...values: string[]) => {
    const done = helm('template', 'dns', chart, '--kube-version', '1.32.0', ...values);
    assert.equal(done.status, 1);
    return done.said;
  };
  assert.match(said(), /kafka\.brokers is empty: sensors and workers need the addresses of Kafka/);
  assert.match(said(...set('kafka.brokers={kafka:9092}')), /store\.url is empty/);
  assert.match(said(...NEEDED, ...set('worker.replicas=many')), /worker\.replicas: Invalid type/);
  assert.match(said(...NEEDED, ...set('workers.replicas=2')), /Additional property workers is not allowed/);
  assert.match(
    said(...set('kafka.brokers={kafka}', 'store.url=http://a')),
    /kafka\.brokers\.0: Does not match pattern/,
  );
});

test('the configuration of each role is one that nametap takes', () => {
  const { manifests } = rendered(
    ...NEEDED,
    '--set',
    'config.privacy.level=1',
    '--set',
    'server.config.log.level=debug',
  );
  for (const role of ['sensor', 'worker', 'server']) {
    const path = join(folder, `${role}.yaml`);
    writeFileSync(path, named(manifests, 'ConfigMap', `dns-nametap-${role}`).data['nametap.yaml']);
    const { config, remarks } = loadConfig({
      file: path,
      environment: { NAMETAP_SERVER_TOKEN: 'a-token-of-some-length' },
    });
    assert.deepEqual(remarks, []);
    assert.equal(config.privacy.level, 1);
    assert.equal(config.log.level, role === 'server' ? 'debug' : 'info');
    assert.equal(config.log.format, 'json');
  }
});

test('pods have the least rights: none, but NET_RAW for the sensor', () => {
  const { manifests } = rendered(...NEEDED);
  for (const role of ['worker', 'server']) {
    const { template } = named(manifests, 'Deployment', `dns-nametap-${role}`).spec;
    const [container] = template.spec.containers;
    assert.deepEqual(template.spec.securityContext.seccompProfile, { type: 'RuntimeDefault' });
    assert.equal(template.spec.securityContext.runAsNonRoot, true);
    assert.equal(template.spec.hostNetwork, undefined);
    assert.deepEqual(container.securityContext, {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
    assert.ok(template.spec.volumes.every((volume: object) => !('hostPath' in volume)));
    // The issue's own figures.
    assert.deepEqual(container.resources, {
      requests: { memory: '512Mi', cpu: '250m' },
      limits: { memory: '1Gi', cpu: '500m' },
    });
  }
  const { template } = named(manifests, 'DaemonSet', 'dns-nametap-sensor').spec;
  const [sensor] = template.spec.containers;
  assert.equal(template.spec.hostNetwork, true);
  assert.equal(template.spec.dnsPolicy, 'ClusterFirstWithHostNet');
  assert.equal(template.spec.securityContext.runAsUser, 10053);
  assert.deepEqual(sensor.securityContext.capabilities, { drop: ['ALL'], add: ['NET_RAW'] });
  assert.equal(sensor.securityContext.allowPrivilegeEscalation, false);
  // The runtime that carries the capability, in the image's place.
  const containerfile = readFileSync(join(deploy, 'container/Containerfile'), 'utf8');
  assert.ok(containerfile.includes(`setcap cap_net_raw+ep ${sensor.command[0]}`));
  assert.ok(containerfile.includes('useradd --system --uid 10053'));
});

/** What the controller wants: ceil(replicas × value ÷ target), within bounds, left alone within a tenth (autoscaling/v2). */
function wanted(spec: Manifest['spec'], replicas: number, mean: number, target: number): number {
  const ratio = mean / target;
  const count = Math.abs(ratio - 1) <= 0.1 ? replicas : Math.ceil(replicas * ratio);
  return Math.min(spec.maxReplicas, Math.max(spec.minReplicas, count));
}

test('servers and workers grow beyond a mean processor time of 70 %', () => {
  const { manifests } = rendered(...EVERYTHING);
  for (const [role, most] of [
    ['server', 6],
    ['worker', 12],
  ] as const) {
    const { spec } = named(manifests, 'HorizontalPodAutoscaler', `dns-nametap-${role}`);
    assert.deepEqual(spec.scaleTargetRef, { apiVersion: 'apps/v1', kind: 'Deployment', name: `dns-nametap-${role}` });
    assert.deepEqual([spec.minReplicas, spec.maxReplicas], [2, most]);
    assert.deepEqual(spec.metrics[0], {
      type: 'Resource',
      resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 70 } },
    });
    const target = spec.metrics[0].resource.target.averageUtilization;
    assert.equal(wanted(spec, 2, 69, target), 2);
    assert.equal(wanted(spec, 2, 90, target), 3);
    assert.equal(wanted(spec, 4, 20, target), 2);
    assert.equal(wanted(spec, most, 100, target), most);
    // The controller's own count is not overruled by the deployment.
    assert.equal(named(manifests, 'Deployment', `dns-nametap-${role}`).spec.replicas, undefined);
  }
  const { spec } = named(manifests, 'HorizontalPodAutoscaler', 'dns-nametap-server');
  assert.deepEqual(spec.metrics[1].pods.target, { type: 'AverageValue', averageValue: '50' });
});

test('with KEDA, workers grow with lag, up to their partitions', () => {
  const { manifests } = rendered(...NEEDED, ...KEDA);
  const { spec } = named(manifests, 'ScaledObject', 'dns-nametap-worker');
  assert.deepEqual([spec.minReplicaCount, spec.maxReplicaCount], [2, 12]);
  const [kafka, cpu] = spec.triggers;
  assert.equal(kafka.metadata.bootstrapServers, 'kafka-0.kafka:9092,kafka-1.kafka:9092');
  assert.equal(kafka.metadata.lagThreshold, '500');
  assert.equal(cpu.metadata.value, '70');
  assert.ok(
    !manifests.some(({ kind, metadata }) => kind === 'HorizontalPodAutoscaler' && metadata.name.endsWith('worker')),
  );
});

test('a changed configuration starts pods anew', () => {
  const sum = (...values: string[]) =>
    named(rendered(...NEEDED, ...values).manifests, 'Deployment', 'dns-nametap-server').spec.template.metadata
      .annotations['checksum/config'];
  assert.equal(sum(), sum());
  assert.notEqual(sum(), sum(...set('server.config.log.level=debug')));
});

test('the rules in the chart are those of deploy/prometheus', () => {
  const [given, copy] = ['prometheus/alerts.yml', 'helm/nametap/files/alerts.yml'].map((path) =>
    readFileSync(join(deploy, path), 'utf8'),
  );
  assert.equal(copy, given);
  const { manifests } = rendered(...EVERYTHING);
  const { spec } = named(manifests, 'PrometheusRule', 'dns-nametap');
  assert.deepEqual(spec, manifestsOf(given)[0]);
});
