/** As the pages of the payment sandbox look. */
export const mailStyle = `:root { color-scheme: light dark; font: 1.125rem/1.5 system-ui, sans-serif; }
body { grid-template-columns: minmax(0, auto); margin: 0; display: grid; min-height: 100vh; place-items: start center; background: Canvas; color: CanvasText; }
main { box-sizing: border-box; width: min(100%, 60rem); padding: 1.5rem; }
h1 { font-size: 2rem; line-height: 1.2; margin: 1.5rem 0 .5rem; overflow-wrap: anywhere; }
p { margin: .5rem 0; }
.sandbox { padding: .5rem .75rem; border-radius: .5rem; background: #ffe9a8; color: #4a3600; font-weight: 600; }
.back { margin-top: 1rem; }
.empty { margin: 2rem 0; padding: 3rem 1rem; border: 1px dashed #8888; border-radius: .5rem; text-align: center; }
.mails { list-style: none; margin: 1.5rem 0; padding: 0; border-top: 1px solid #8884; }
.mails a { display: grid; grid-template-columns: minmax(0, 1fr) auto; gap: 0 1rem; padding: .75rem .5rem; border-bottom: 1px solid #8884; color: inherit; text-decoration: none; }
.mails a:hover { background: #8881; }
.subject { font-weight: 600; overflow-wrap: anywhere; }
.to { grid-row: 2; opacity: .8; overflow-wrap: anywhere; }
.when { grid-area: 1 / 2 / span 2; display: grid; align-content: center; justify-items: end; gap: .25rem; font-variant-numeric: tabular-nums; white-space: nowrap; }
.kind { padding: 0 .5rem; border-radius: 1rem; background: #1a6b3c; color: #fff; font-size: .875rem; }
time { opacity: .8; font-size: .875rem; }
dl { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: .25rem 1rem; margin: 1rem 0; }
dt { opacity: .8; }
dd { margin: 0; overflow-wrap: anywhere; }
nav { display: flex; flex-wrap: wrap; gap: .5rem; margin: 1.5rem 0 .75rem; }
nav a { padding: .375rem .75rem; border: 1px solid #8888; border-radius: .5rem; color: inherit; text-decoration: none; }
nav a[aria-current] { border-color: transparent; background: #1a6b3c; color: #fff; font-weight: 600; }
iframe { box-sizing: border-box; display: block; width: 100%; height: max(30rem, 80vh); border: 1px solid #8884; border-radius: .5rem; background: #fff; resize: vertical; }
pre { box-sizing: border-box; margin: .75rem 0; padding: 1rem; border: 1px solid #8884; border-radius: .5rem; overflow-x: auto; font-size: .875rem; }
pre.text { white-space: pre-wrap; overflow-wrap: anywhere; }
button { font: inherit; min-height: 3rem; padding: 0 1rem; border: 1px solid #8888; border-radius: .5rem; background: transparent; color: inherit; cursor: pointer; }
button:focus-visible, a:focus-visible { outline: 3px solid #2a6df4; outline-offset: 2px; }
@media (width < 36rem) {
  nav { gap: .375rem; }
  nav a { padding: .375rem .625rem; font-size: .875rem; }
  .mails a { grid-template-columns: minmax(0, 1fr); }
  .when { grid-area: auto; display: flex; flex-direction: row-reverse; justify-content: flex-end; align-items: center; gap: .75rem; margin-top: .25rem; }
}
`;
