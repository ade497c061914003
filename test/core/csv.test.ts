import assert from 'node:assert/strict';
import { test } from 'node:test';
import { csvCell, csvRow } from '../../src/core/csv.ts';

test('cells are quoted where they have to be, and no text is a formula', () => {
  assert.equal(
    csvRow(['a', 'b,c', 'd"e', 'f\r\ng', -1.5, true, null, undefined]),
    'a,"b,c","d""e","f\r\ng",-1.5,true,,\r\n',
  );
  for (const sign of ['=', '+', '-', '@', "'", '\t', '\r']) assert.match(csvCell(`${sign}1+1`), /^"?'/);
  assert.equal(csvCell('=cmd,"x"'), `"'=cmd,""x"""`);
});
