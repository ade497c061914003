/** The contract of network sinks with a receiver that is away for a minute. */
process.env.NAMETAP_AWAY_MS = '60000';
await import('../integration/delivery.test.ts');
