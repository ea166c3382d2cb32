// The looks of the page: colours for light and dark, text, tables and plots.
#pragma once

namespace quorate::testnet::comparison {

// Text on its background has a contrast of at least 4.5 to 1, what is drawn one of 3 to 1; the two
// engines differ for those who see few colours, and in shape besides.
inline constexpr const char* kPageStyle = R"(
:root{color-scheme:light dark;--paper:#fff;--ink:#1c2330;--soft:#5a6376;--rule:#d5dae3;--card:#f5f7fa;
--pbft:#2450e0;--pow:#b45309;--third:#6b7280;--fourth:#0f766e;
--part0:#b45309;--part1:#2450e0;--part2:#0f766e;--part3:#8b3fd9;--part4:#be185d;--part5:#4d7c0f;--part6:#6b7280}
@media (prefers-color-scheme:dark){:root{--paper:#10141b;--ink:#e6e9ef;--soft:#a4adbd;--rule:#313a4a;--card:#181e28;
--pbft:#7c9dff;--pow:#ffb454;--third:#98a2b3;--fourth:#4fd1c5;
--part0:#ffb454;--part1:#7c9dff;--part2:#4fd1c5;--part3:#c792ff;--part4:#ff8ab5;--part5:#b5d96b;--part6:#98a2b3}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);
font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
main{max-width:980px;margin:0 auto;padding:24px 16px 64px}
h1{font-size:1.7rem;line-height:1.2;margin:0 0 8px}h2{font-size:1.25rem;margin:40px 0 8px}
p{margin:8px 0}.soft{color:var(--soft)}
.choose{display:grid;gap:16px;grid-template-columns:repeat(auto-fit,minmax(280px,1fr));margin:16px 0}
.choose p{margin:0;padding:12px 16px;background:var(--card);border-left:4px solid var(--rule);border-radius:4px}
.choose .pbft{border-color:var(--pbft)}.choose .pow{border-color:var(--pow)}
.wide{overflow-x:auto}
:focus-visible{outline:2px solid var(--pbft);outline-offset:2px}
table{border-collapse:collapse;width:100%;font-size:.9rem}
.figures td{white-space:nowrap}
caption{text-align:left;color:var(--soft);padding:4px 0}
th,td{text-align:left;vertical-align:top;padding:5px 12px 5px 0;border-bottom:1px solid var(--rule)}
th{font-weight:600}
.origin{font-size:.78rem;color:var(--soft);white-space:nowrap}
figure{margin:20px 0}figcaption{font-weight:600;margin-bottom:4px}
summary{cursor:pointer;color:var(--soft);font-size:.9rem}
svg{display:block;width:100%;min-width:600px;height:auto;background:var(--paper)}
svg text{font-size:13px;fill:var(--ink)}svg .soft{fill:var(--soft)}
.rule{stroke:var(--rule);stroke-width:1}.axis{stroke:var(--soft);stroke-width:1}
.line{fill:none;stroke-width:2}.dashed{stroke-dasharray:8 4}.dotted{stroke-dasharray:2 4}.unseen{opacity:0}.whisker{stroke-width:1.5}
.line.pbft,.whisker.pbft{stroke:var(--pbft)}.line.pow,.whisker.pow{stroke:var(--pow)}
.line.third,.whisker.third{stroke:var(--third)}.line.fourth,.whisker.fourth{stroke:var(--fourth)}
.point,.key{stroke:var(--paper);stroke-width:1}
circle.pbft,rect.pbft,path.point.pbft,path.key.pbft{fill:var(--pbft)}circle.pow,rect.pow,path.point.pow,path.key.pow{fill:var(--pow)}
path.point.third,path.key.third{fill:var(--third)}path.point.fourth,path.key.fourth{fill:var(--fourth)}
.part0{fill:var(--part0)}.part1{fill:var(--part1)}.part2{fill:var(--part2)}.part3{fill:var(--part3)}
.part4{fill:var(--part4)}.part5{fill:var(--part5)}.part6{fill:var(--part6)}
@media print{details{display:block}h2{break-after:avoid}figure{break-inside:avoid}}
)";

}  // namespace quorate::testnet::comparison
