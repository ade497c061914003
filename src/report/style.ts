/** The page's style: hairlines, one signal colour, light and dark by the reader's system. */
export const STYLE = `
:root{color-scheme:light dark;--ink:#17212b;--mute:#566472;--faint:#667380;--bg:#f5f4f0;--panel:#fffefb;--raise:#f0eee8;--line:#e2dfd6;
--signal:#0b8577;--band:#0b857722;--attn:#925700;--alarm:#c03526;--s1:#0b8577;--s2:#8dcbbd;--s3:#c9c2ae}
@media(prefers-color-scheme:dark){:root{--ink:#e7edf2;--mute:#9aa8b5;--faint:#8795a3;--bg:#0b1015;--panel:#10171e;--raise:#16202a;--line:#1f2b37;
--signal:#38c6b4;--band:#38c6b426;--attn:#f0b44c;--alarm:#ff7a6b;--s1:#38c6b4;--s2:#1d6f6c;--s3:#33424f}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--ink);font:13px/1.45 Inter,"Segoe UI",system-ui,sans-serif;-webkit-font-smoothing:antialiased}
main,header,footer{max-width:1240px;margin:0 auto;padding:0 20px}
header{display:flex;gap:14px;align-items:center;padding-top:16px;padding-bottom:4px;flex-wrap:wrap}
h1{font-size:15px;font-weight:650;letter-spacing:-.01em;margin:0;display:flex;gap:8px;align-items:center}
header p{margin:0 0 0 auto;color:var(--mute);font-size:12px;text-align:right;overflow-wrap:anywhere}
.state{font-size:15px;margin:14px 0 16px;max-width:100ch;color:var(--mute)}.state b{color:var(--ink);font-weight:620}.state .attn{color:var(--attn)}
.tiles{display:grid;grid-template-columns:repeat(8,1fr);border:1px solid var(--line);border-radius:12px;background:var(--panel);overflow:hidden}
.tile{padding:12px 14px 11px;box-shadow:-1px -1px 0 var(--line)}.tile span{display:block;color:var(--mute);font-size:12px}
.tile strong{display:block;font-weight:560;font-size:24px;letter-spacing:-.025em;line-height:1.2;margin:3px 0 2px;white-space:nowrap}
.tile strong small{font-size:13px;font-weight:450;color:var(--mute);letter-spacing:0;margin-left:3px}.tile em{font-style:normal;font-size:12px;color:var(--faint)}
.grid{display:grid;grid-template-columns:repeat(12,1fr);gap:14px;margin:14px 0}
.panel{border:1px solid var(--line);border-radius:12px;background:var(--panel);padding:12px 14px;min-width:0;overflow-x:auto}
.w4{grid-column:span 4}.w6{grid-column:span 6}.w7{grid-column:span 7}.w5{grid-column:span 5}.w12{grid-column:span 12}
h2{font-size:13px;font-weight:600;margin:0 0 6px}h2 small{font-weight:400;color:var(--mute);font-size:12px;margin-left:6px}
table{width:100%;border-collapse:collapse;font-variant-numeric:tabular-nums}
th{color:var(--faint);font-weight:450;font-size:12px;text-align:left;padding:4px 6px;white-space:nowrap}
td{padding:4px 6px;white-space:nowrap;border-top:1px solid var(--line)}
th.n,td.n{text-align:right}td.k{font:12px ui-monospace,"SF Mono",Menlo,Consolas,monospace;max-width:0;width:60%;overflow:hidden;text-overflow:ellipsis}
td.m{color:var(--mute);white-space:normal}
tr:first-child td{border-top:0}thead+tbody tr:first-child td{border-top:1px solid var(--line)}
td.b{width:34%}.bar{fill:var(--signal)}td.b i{display:block;height:6px;border-radius:3px;background:var(--signal);opacity:.8;min-width:2px}
.attn{color:var(--attn)}.alarm{color:var(--alarm)}td.b.attn i{background:var(--attn)}td.b.alarm i{background:var(--alarm)}
.chart{display:block;width:100%;height:auto}.chart text{font-size:11px;fill:var(--faint)}.chart .marked{fill:var(--attn);font-weight:560;paint-order:stroke;stroke:var(--panel);stroke-width:3px}
.grid-line,.chart .grid{stroke:var(--line);stroke-width:1}.chart .line{fill:none;stroke:var(--signal);stroke-width:1.6;stroke-linejoin:round}.chart .area{fill:var(--band)}
.chart .dot{fill:var(--signal)}.chart .bar{opacity:.8}.chart .bar:hover{opacity:1}.chart .mark{stroke:var(--attn);stroke-width:1;stroke-dasharray:2 3}.chart .hit{fill:transparent}.chart .hit:hover{fill:var(--band)}
.ledger{display:flex;height:12px;border-radius:6px;overflow:hidden;margin:8px 0 10px;background:var(--raise)}.ledger i{display:block;background:var(--s1)}.ledger i+i{background:var(--s2)}.ledger i+i+i{background:var(--s3)}
.more,.none,footer{color:var(--faint);font-size:12px}.more{margin:8px 6px 0}footer{padding-top:4px;padding-bottom:28px}
@media(max-width:1000px){.w4,.w5,.w6,.w7{grid-column:span 12}.tiles{grid-template-columns:repeat(4,1fr)}}
@media(max-width:560px){.tiles{grid-template-columns:repeat(2,1fr)}header p{margin:0;text-align:left}}
@media print{body{background:#fff}.panel,.tiles{break-inside:avoid}}
`;
