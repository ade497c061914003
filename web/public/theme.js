// Before the first paint, so that a chosen theme does not flash the other one.
(() => {
  let theme = null;
  try {
    theme = localStorage.getItem('nametap.theme');
  } catch {
    // Storage is switched off: the system's theme it is.
  }
  if (theme !== 'dark' && theme !== 'light')
    theme = matchMedia('(prefers-color-scheme: light)').matches ? 'light' : 'dark';
  document.documentElement.dataset.theme = theme;
})();
