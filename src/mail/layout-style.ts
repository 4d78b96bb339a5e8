/** Warm greys; the shop's own colour is on the band and the buttons alone. Text on them has at least 4.5 : 1. */
export const paint = {
  page: '#f3f1ed',
  card: '#ffffff',
  ink: '#1c1b1a',
  muted: '#6b655d',
  /** Muted text on the page. */
  footer: '#6b655d',
  line: '#e6e2db',
};

export const darkPaint = {
  page: '#141312',
  card: '#211f1d',
  tile: '#2e2b28',
  ink: '#f1eeea',
  muted: '#b3aca3',
  line: '#413d38',
};

/** Every system's own: nothing is fetched. */
export const fontStack = "-apple-system, BlinkMacSystemFont, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif";

const darkRules = (prefix: string) => `
${prefix}.page, ${prefix}.page > div { background-color: ${darkPaint.page} !important; }
${prefix}.card, ${prefix}.card > table { background-color: ${darkPaint.card} !important; }
${prefix}.ink td, ${prefix}.ink div, ${prefix}.ink span, ${prefix}.ink h1 { color: ${darkPaint.ink} !important; }
${prefix}.muted, ${prefix}.muted div, ${prefix}.muted a, ${prefix}.ink .muted { color: ${darkPaint.muted} !important; }
${prefix}.ink .line { border-color: ${darkPaint.line} !important; }
${prefix}.ink .tile { background-color: ${darkPaint.tile} !important; }`;

/** For those who read in the dark; Outlook on the web says so by an attribute. */
export const darkStyle = `:root { color-scheme: light dark; supported-color-schemes: light dark; }
@media (prefers-color-scheme: dark) {
body { background-color: ${darkPaint.page} !important; }${darkRules('')}
}${darkRules('[data-ogsc] ')}`;
