#include "parts.hpp"

namespace chronotope::report {
namespace {

// Two colours carry meaning: blue is the model, grey are the counters. Filled sees the target's time, hollow does not;
// among click models filled is the one that is judged, hollow are the others.
const char* const colours = R"(:root {
  color-scheme: light dark;
  --page: #ffffff; --ink: #1c2228; --soft: #59636e; --rule: #d9dee3; --faint: #edf0f3; --ground: #f5f7f8;
  --model: #1f5fbf; --model-tint: #d5e3f8; --on-model: #ffffff; --counter: #8c98a4; --counter-tint: #e9edf0;
  --raw: #a9c4ec; --good: #1c7c45; --good-tint: #e6f4ea; --open: #9a6700; --open-tint: #fdf4da; --bad: #b3372c;
  --bad-tint: #fbeae8; --visit: #7d6b9e; --last: #d9730d;
}
@media screen and (prefers-color-scheme: dark) { :root {
  --page: #14181d; --ink: #e4e8ec; --soft: #9fabb7; --rule: #363f49; --faint: #262d35; --ground: #1a2027;
  --model: #6ea8ff; --model-tint: #1d3557; --on-model: #0d1a2e; --counter: #75828f; --counter-tint: #232a32;
  --raw: #35557f; --good: #5cc98a; --good-tint: #14291d; --open: #e0b04a; --open-tint: #2b2412; --bad: #f08a80;
  --bad-tint: #331b19; --visit: #a994d1; --last: #ff9a3d;
} }
)";

const char* const layout = R"(* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
main { max-width: 1160px; margin: 0 auto; padding: 28px 20px 48px; }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 0 0 16px; overflow-wrap: anywhere; }
h3 { font-size: .95rem; margin: 24px 0 6px; }
h2 { font-size: 1.2rem; margin: 40px 0 12px; padding-bottom: 6px; border-bottom: 1px solid var(--rule); }
p { margin: 0 0 10px; overflow-wrap: anywhere; }
.verdict { border-left: 5px solid; border-radius: 4px; padding: 12px 16px; margin: 0 0 12px; }
.verdict.good { border-color: var(--good); background: var(--good-tint); }
.verdict.open { border-color: var(--open); background: var(--open-tint); }
.verdict.bad { border-color: var(--bad); background: var(--bad-tint); }
.sentence { font-size: 1.08rem; margin: 0; }
.figures { margin: 6px 0 0; font-size: .88rem; color: var(--soft); font-variant-numeric: tabular-nums; }
.remark { font-size: .88rem; color: var(--soft); margin: 8px 0 12px; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 440px), 1fr)); gap: 20px 36px;
  align-items: start; }
.single { max-width: 560px; }
figure { margin: 0; min-width: 0; }
.pair > div > figure + figure { margin-top: 16px; }
figcaption, .caption { font-size: .9rem; font-weight: 600; margin: 0 0 6px; }
.caption { margin: 4px 0 2px; font-weight: 400; color: var(--soft); }
.legend { list-style: none; display: flex; flex-wrap: wrap; gap: 4px 20px; margin: 0 0 14px; padding: 0;
  font-size: .88rem; }
.legend li { display: flex; align-items: center; gap: 7px; }
figure .legend { margin: 0 0 8px; }
.swatch { width: 22px; height: 14px; flex: none; }
figure .swatch { height: 20px; width: 20px; }
dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 240px), 1fr)); gap: 10px 28px;
  margin: 0; }
dt { font-size: .8rem; color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; }
details { margin: 16px 0 0; }
summary { cursor: pointer; font-weight: 600; font-size: .95rem; padding: 4px 0; }
pre { background: var(--ground); border: 1px solid var(--rule); border-radius: 4px; padding: 12px; margin: 6px 0 0;
  overflow-x: auto; font-size: .82rem; line-height: 1.45; }
code { font-size: .92em; overflow-wrap: anywhere; }
)";

const char* const tables = R"(.scroll { overflow-x: auto; }
.scroll + .scroll, .pair + .scroll { margin-top: 12px; }
table { border-collapse: collapse; width: 100%; font-size: .88rem; font-variant-numeric: tabular-nums; }
th, td { padding: 5px 10px; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--faint); }
thead th { font-size: .8rem; font-weight: 600; color: var(--soft); border-bottom: 1px solid var(--rule);
  vertical-align: bottom; }
th:first-child { text-align: left; }
tbody th { font-weight: 400; position: sticky; left: 0; background: var(--page); }
.chosen, .chosen th { background: var(--model-tint); font-weight: 600; }
.error { color: var(--soft); font-weight: 400; }
tbody .group { color: var(--soft); font-weight: 600; font-size: .8rem; padding-top: 14px; }
td.failed { color: var(--bad); text-align: left; white-space: normal; overflow-wrap: anywhere; }
.recommendations { list-style: none; margin: 0; padding: 0; }
.recommendations li { display: grid; grid-template-columns: 26px 1fr 68px; gap: 0 12px; align-items: start;
  padding: 8px 6px; border-bottom: 1px solid var(--faint); }
.recommendations li > div { min-width: 0; overflow-wrap: anywhere; }
.recommendations .true { background: var(--good-tint); }
.badge { width: 25px; height: 25px; border-radius: 13px; background: var(--model); color: var(--on-model);
  font-size: .8rem; font-weight: 600; display: flex; align-items: center; justify-content: center; }
.place { font-weight: 600; unicode-bidi: isolate; }
.tag { font-size: .74rem; font-weight: 600; color: var(--good); border: 1px solid var(--good); border-radius: 9px;
  padding: 1px 7px; white-space: nowrap; }
.small { font-size: .84rem; color: var(--soft); display: flex; flex-wrap: wrap; gap: 0 16px; }
.probability { text-align: right; font-variant-numeric: tabular-nums; }
.probability svg { height: 4px; margin-top: 3px; }
)";

const char* const drawings = R"(svg { display: block; width: 100%; height: auto; }
svg text { font-size: 11px; fill: var(--ink); font-variant-numeric: tabular-nums; }
.middle { text-anchor: middle; } .end { text-anchor: end; } .start { text-anchor: start; }
svg .tick, svg .title { fill: var(--soft); }
svg .strong, svg .note { font-weight: 600; }
.grid { stroke: var(--faint); } .axis { stroke: var(--counter); } .guide { stroke: var(--soft);
  stroke-dasharray: 2 3; }
.raw, .curve, .rate { fill: none; stroke: var(--raw); stroke-width: 1; stroke-linejoin: round; }
.curve { stroke: var(--model); stroke-width: 2; } .rate { stroke: var(--soft); stroke-width: 1.5; }
.curve.counter { stroke: var(--counter); } .dot.counter { fill: var(--counter); } .error-bar { stroke: var(--model); stroke-width: 1; }
.error-bar.counter { stroke: var(--counter); }
.dot { fill: var(--model); } .ring { fill: none; stroke: var(--model); stroke-width: 2; }
.bar { stroke-width: 1; vector-effect: non-scaling-stroke; }
.bar.model { stroke: var(--model); } .bar.counter { stroke: var(--counter); }
.bar.model.timed { fill: var(--model); } .bar.model.untimed { fill: var(--model-tint); }
.bar.counter.timed { fill: var(--counter); } .bar.counter.untimed { fill: var(--counter-tint); }
.bar.best { stroke: var(--good); fill: var(--good-tint); }
.remembered.kept, .block.kept, .bar.kept { fill: var(--raw); stroke: none; }
.remembered.review, .block.review, .bar.review { fill: var(--last); stroke: none; }
.block.padding, .bar.padding { fill: var(--page); stroke: var(--counter); stroke-width: .5; }
.block.request, .bar.request { fill: var(--ink); stroke: none; }
.density, .bar.density { fill: var(--model); stroke: none; }
.density.d1 { fill-opacity: .16; } .density.d2 { fill-opacity: .32; } .density.d3 { fill-opacity: .5; }
.density.d4 { fill-opacity: .7; } .density.d5 { fill-opacity: .85; } .density.d6 { fill: var(--last); }
.track { fill: var(--faint); } .probability .bar { stroke: none; }
.whisker { stroke: var(--ink); stroke-width: 1.2; }
.ground { fill: var(--ground); } .border { fill: none; stroke: var(--counter); } .graticule { stroke: var(--rule); }
.plate { fill: var(--page); opacity: .8; } .scale { fill: none; stroke: var(--ink); stroke-width: 1.5; }
.visited { fill: var(--visit); fill-opacity: .32; stroke: var(--visit); stroke-width: 1; }
.beyond { fill: none; stroke: var(--visit); stroke-width: 1.5; }
.marker { fill: var(--model); stroke: var(--page); stroke-width: 1.5; }
svg .number { fill: var(--on-model); font-weight: 700; pointer-events: none; }
.leader { stroke: var(--model); stroke-width: 1; } .home { fill: var(--model); }
.last { fill: var(--last); stroke: var(--page); stroke-width: 1.5; }
.truth { fill: none; stroke: var(--good); stroke-width: 3; } .true-dot { fill: var(--good); }
)";

// Drawings shrink with the screen; their letters shall not.
const char* const media = R"(@media (max-width: 500px) {
  main { padding: 20px 14px 36px; }
  h1 { font-size: 1.4rem; }
  svg text { font-size: 13.5px; }
}
@media print {
  html { font-size: 13px; }
  body { font-size: 1rem; }
  main { max-width: none; padding: 0; }
  figure, tr, .verdict, .recommendations li { break-inside: avoid; }
  h2, h2 + p { break-after: avoid; }
  .scroll { overflow: visible; }
  .pair { grid-template-columns: 1fr 1fr; gap: 16px 24px; }
  table { font-size: 7.5pt; }
  thead th { font-size: 7pt; white-space: normal; }
  tbody th { position: static; }
  th, td { padding: 2px 5px; }
  .verdict, .chosen, .bar, circle, rect, .badge { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
)";

}  // namespace

std::string style_sheet() { return std::string(colours) + layout + tables + drawings + media; }

}  // namespace chronotope::report
