import './style/tokens.css';
import './style/base.css';
import './style/shell.css';
import './style/ui.css';
import { render } from 'preact';
import { startDrop } from './explore/capture/drop.ts';
import { startKeys } from './keys.ts';
import { signIn } from './session.ts';
import { Shell } from './shell/shell.tsx';
import { startRouter } from './state.ts';
import { preferredLanguage, setLanguage } from './text.ts';

const root = document.getElementById('app');
if (root !== null) {
  startRouter();
  startKeys();
  startDrop();
  void signIn();
  const language = preferredLanguage();
  if (language !== 'en') void setLanguage(language);
  render(<Shell />, root);
}
