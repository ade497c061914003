import { start } from '../../scripts/services/clickhouse.ts';
import { Connection } from '../../src/store/clickhouse/connection.ts';
import { CLICKHOUSE } from '../../src/store/clickhouse/dialect.ts';
import { TransactionWriter } from '../../src/store/clickhouse/rows.ts';
import { statementsOf } from '../../src/store/clickhouse/ddl.ts';
import { INSERTED } from '../../src/store/clickhouse/schema.ts';
import { fillRows, filterContract } from '../filter/sql-property.ts';

filterContract(
  'ClickHouse',
  async () => {
    const service = await start();
    const options = { url: service.address, user: 'default', database: 'default' };
    const connection = new Connection(options);
    const [table] = statementsOf(options);
    // Rows of one table have no order of their own.
    await connection.run(table.replace('family UInt8', 'n UInt32, family UInt8'));
    const columns = [...INSERTED, { name: 'n', type: 'UINTEGER' as const }];
    const writer = new TransactionWriter(4096, columns);
    let n = 0;
    await fillRows(writer, async () => {
      for (let row = 0; row < writer.count; row++) writer.numbers[INSERTED.length][row] = n++;
      if (writer.count > 0) await connection.insert('transactions', columns, writer.block());
      writer.clear();
    });
    return {
      dialect: CLICKHOUSE,
      ask: async ({ may, sure }) => {
        const rows = await connection.all<{ may: number; sure: number }>(
          `SELECT (${may.sql}) AS may, (${sure.sql}) AS sure FROM transactions ORDER BY n`,
          [...may.params, ...sure.params],
        );
        const says = (value: number) => (value === 1 ? true : value === 0 ? false : value);
        return rows.map((row) => ({ may: says(row.may), sure: says(row.sure) }));
      },
      close: async () => {
        await connection.close();
        await service.stop();
      },
    };
  },
  { columns: 300, messages: 200 },
);
