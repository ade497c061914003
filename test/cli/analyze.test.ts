import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newReport } from '../../src/app/run.ts';
import { analysisHtml, analysisText } from '../../src/report/analysis.ts';
import { capture, nametap } from './nametap.ts';

const CAPTURE = capture('udp.pcap');

test('analyze: statistics, what deviates and what is usual, as text and as a page', () => {
  const text = nametap(['analyze', '-q', CAPTURE]);
  assert.equal(text.code, 0);
  assert.match(text.out, /What deviates/);
  assert.match(text.out, /What is usual in it\n {2}all traffic\n {4}All traffic has been known/);
  const page = nametap(['analyze', '-q', '-T', 'html', CAPTURE]);
  assert.match(page.out, /<h2>What deviates/);
  assert.match(page.out, /<h2>All traffic<small>/);
  assert.doesNotMatch(page.out, /<script/);
});

test('analyze: what is not listed is counted', () => {
  const analysis = { report: newReport({}).value({ files: [] }, 20), usual: [], findings: [], findings_left_out: 1234 };
  assert.match(analysisText(analysis, 80), /1,234 more are not listed/);
  assert.match(analysisHtml(analysis), /1,234 incidents, 1,234 of them not listed/);
  assert.doesNotMatch(analysisText({ ...analysis, findings_left_out: 0 }, 80), /not listed/);
});
