/** The report's looks: calm, in light and dark, and on paper. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --paper: #fbfaf7; --card: #ffffff; --ink: #1f2733; --soft: #5d6876; --rule: #e4e1da;
  --one: #1c6e8c; --two: #b5541b; --three: #5b4b8a; --good: #22744b; --bad: #b3321f; --tint: #1c6e8c22;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #14181f; --card: #1b2029; --ink: #e7e9ec; --soft: #9aa5b3; --rule: #2d3440;
    --one: #5bb4d4; --two: #e8935a; --three: #b3a2e6; --good: #63c594; --bad: #f08b78; --tint: #5bb4d433;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.55 system-ui, "Segoe UI", "Helvetica Neue", sans-serif; }
main { max-width: 1180px; margin: 0 auto; padding: 48px 28px 72px; }
h1 { font-size: 30px; line-height: 1.2; font-weight: 650; letter-spacing: -0.015em; margin: 0 0 8px; text-wrap: balance; }
h2 { font-size: 20px; font-weight: 650; letter-spacing: -0.01em; margin: 52px 0 16px; }
h3 { font-size: 16px; font-weight: 650; margin: 0; }
p { margin: 0; }
.why { color: var(--soft); font-size: 18px; max-width: 46em; }
.verdict { display: inline-block; margin: 0 0 18px; padding: 3px 12px; border-radius: 999px; font-size: 14px; font-weight: 650; border: 1.5px solid; }
.passed { color: var(--good); } .failed { color: var(--bad); }
dl.facts { display: grid; grid-template-columns: repeat(auto-fill, minmax(150px, 1fr)); gap: 18px 24px; margin: 30px 0 0; }
dl.facts dt { color: var(--soft); font-size: 13.5px; } dl.facts dd { margin: 0; font-size: 20px; font-weight: 600; font-variant-numeric: tabular-nums; }
.small { color: var(--soft); font-size: 14px; margin-top: 26px; overflow-wrap: anywhere; }
.grid { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 460px), 1fr)); gap: 20px; }
figure, .card { margin: 0; background: var(--card); border: 1px solid var(--rule); border-radius: 12px; padding: 20px 22px 16px; }
figure.wide { grid-column: 1 / -1; }
figcaption p { color: var(--soft); font-size: 14.5px; margin: 2px 0 12px; }
svg { display: block; width: 100%; height: auto; overflow: visible; font: 11px system-ui, sans-serif; }
svg text { fill: var(--soft); font-variant-numeric: tabular-nums; }
.axis .rule { stroke: var(--rule); } .axis .base, .axis .tick { stroke: var(--soft); stroke-opacity: 0.6; }
.line { fill: none; stroke-width: 2; stroke-linejoin: round; } .area { stroke: none; }
.series-0 { stroke: var(--one); } .series-1 { stroke: var(--two); stroke-dasharray: 5 3; } .series-2 { stroke: var(--three); stroke-dasharray: 2 3; }
.area.series-0 { fill: var(--tint); stroke: none; }
.bar { fill: var(--one); } .dot { fill: var(--one); stroke: var(--card); stroke-width: 1.5; } .fit { fill: none; stroke: var(--two); stroke-width: 1.5; stroke-dasharray: 5 4; }
.mark line { stroke: var(--three); stroke-dasharray: 3 3; } .mark text { fill: var(--three); font-weight: 650; }
.percentile line { stroke: var(--two); stroke-dasharray: 3 3; } .percentile text { fill: var(--two); }
ol.marks { margin: 12px 0 4px; padding-left: 26px; color: var(--soft); font-size: 14px; columns: 2 300px; } ol.marks li::marker { color: var(--three); font-weight: 650; }
ol.marks time { font-variant-numeric: tabular-nums; color: var(--ink); }
details { margin-top: 10px; font-size: 14px; } summary { cursor: pointer; color: var(--soft); } details.run > summary { font-size: 17px; font-weight: 600; color: var(--ink); padding: 8px 0; }
.scroll { overflow: auto; } details .scroll { max-height: 300px; margin-top: 8px; }
:focus-visible { outline: 2px solid var(--one); outline-offset: 2px; border-radius: 4px; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: 14px; }
caption { position: absolute; clip-path: inset(50%); width: 1px; height: 1px; overflow: hidden; }
th, td { text-align: right; padding: 6px 10px; border-bottom: 1px solid var(--rule); font-weight: 400; white-space: nowrap; } thead th { color: var(--soft); font-size: 13px; }
th:first-child { text-align: left; padding-left: 0; } td:last-child, th:last-child { padding-right: 0; }
tbody tr:last-child > * { border-bottom: 0; }
ul.checks { list-style: none; margin: 0; padding: 0; } ul.checks li { padding: 11px 0; border-bottom: 1px solid var(--rule); display: grid; grid-template-columns: 74px 1fr; gap: 2px 12px; }
ul.checks li:last-child { border: 0; } ul.checks b { font-weight: 650; white-space: nowrap; } ul.checks span { grid-column: 2; color: var(--soft); font-size: 14.5px; overflow-wrap: anywhere; }
tr.differs th, tr.differs td { color: var(--bad); font-weight: 600; }
@media print { body { background: none; } figure, .card { break-inside: avoid; } details { display: none; } main { padding: 0; } }
`
