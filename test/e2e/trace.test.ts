import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { traceService } from '../../src/app/trace-service.ts';
import { checkAccessible, picture } from './harness.ts';
import { Pages } from './pages-serving.ts';

let pages: Pages;

before(async () => {
  pages = await Pages.open();
  // Nobody listens there: a trace ends at once, with all it has to say.
  const traces = traceService({
    enabled: true,
    allow: [],
    root: ['127.0.53.99'],
    anchors: [],
    queries_most: 20,
    timeout: 5000,
  });
  Object.assign(pages.fixture.services, { traces });
});
after(() => pages.close());

test('trace: a link fills in the form, the button asks, every step is shown', async () => {
  for (const theme of ['dark', 'light'] as const) {
    const look = async (page: Parameters<Parameters<Pages['at']>[1]>[0]) => {
      await page.locator('.empty').waitFor();
      assert.equal(await page.locator('input[name=name]').inputValue(), 'www.example.org');
      await page.locator('button[type=submit]').click();
      const sentence = page.locator('.sentence');
      await sentence.waitFor();
      assert.match(await sentence.innerText(), /^No server of \. gave an answer about org\./);
      const steps = await page.locator('ol.trace li').allInnerTexts();
      assert.ok(steps.length > 0 && steps.every((text) => text.includes('127.0.53.99')), steps.join('\n'));
      assert.match(page.url(), /name=www\.example\.org&type=A/);
      await checkAccessible(page, `trace, ${theme}`);
      await picture(page, `trace-${theme}`);
    };
    await pages.at('/trace?name=www.example.org', look, { theme });
  }
});
