/// The report's style sheet: system fonts, few colours, light or dark as the reader's system is.
let reportStyle = """

  :root {
    --page: #fbfbf9; --paper: #ffffff; --ink: #22262b; --soft: #667079; --rule: #e3e5e4; --code: #f4f5f3;
    --train: #2f6db3; --held: #c4601a; --rate: #3d8a6b; --target: #8a5aa8; --note: #fff4dc;
    --p0: #2f6db3; --p1: #6ba3dc; --p2: #3d8a6b; --p3: #c9a227; --p4: #c4601a; --p5: #8a5aa8;
  }
  @media (prefers-color-scheme: dark) {
    :root {
      --page: #16191c; --paper: #1d2125; --ink: #e4e7e9; --soft: #98a2ab; --rule: #33393e; --code: #24292e;
      --train: #76aeea; --held: #f0a060; --rate: #74c7a2; --target: #c39be0; --note: #3a3220;
      --p0: #5d98d8; --p1: #9cc6f0; --p2: #62b08e; --p3: #d9bb55; --p4: #e08b4c; --p5: #b48bd0;
    }
  }
  * { box-sizing: border-box; }
  body { margin: 0; background: var(--page); color: var(--ink);
    font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; }
  main { max-width: 860px; margin: 0 auto; padding: 48px 24px 80px; }
  h1 { font-size: 30px; line-height: 1.2; margin: 0; letter-spacing: -0.01em; overflow-wrap: anywhere; }
  h2 { font-size: 19px; margin: 48px 0 14px; padding-bottom: 6px; border-bottom: 1px solid var(--rule); }
  .subtitle { color: var(--soft); margin: 6px 0 0; }
  .note { background: var(--note); border-radius: 6px; padding: 10px 14px; margin: 18px 0 0; }
  .lead { color: var(--soft); margin: 18px 0 6px; font-size: 14px; }
  .figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 1px;
    margin: 28px 0 0; background: var(--paper); border: 1px solid var(--rule); border-radius: 8px;
    overflow: hidden; }
  .figures div { padding: 12px 16px 14px; box-shadow: 0 0 0 1px var(--rule); }
  .figures dt { color: var(--soft); font-size: 13px; }
  .figures dd { margin: 2px 0 0; font-size: 21px; line-height: 1.3; font-variant-numeric: tabular-nums; }
  .figures small { display: block; color: var(--soft); font-size: 12.5px; line-height: 1.4;
    overflow-wrap: anywhere; }
  figure { margin: 0 0 26px; }
  figcaption { display: flex; flex-wrap: wrap; gap: 4px 18px; align-items: baseline; margin-bottom: 6px; }
  figcaption b { font-weight: 600; }
  .key { font-size: 13px; color: var(--soft); }
  .key::before { content: ""; display: inline-block; width: 18px; height: 3px; border-radius: 2px;
    margin-right: 6px; vertical-align: middle; background: currentColor; }
  .key.train::before { background: var(--train); }
  .key.held::before { background: var(--held); }
  .key.rate::before { background: var(--rate); }
  svg { display: block; width: 100%; height: auto; background: var(--paper); border: 1px solid var(--rule);
    border-radius: 8px; }
  .grid { stroke: var(--rule); stroke-width: 1; }
  .axis, .mark { stroke: var(--soft); stroke-width: 1; }
  .tick, .unit { fill: var(--soft); font-size: 12px; font-variant-numeric: tabular-nums; }
  .target { stroke: var(--target); stroke-width: 1.2; stroke-dasharray: 6 4; }
  .line { fill: none; stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; }
  .line.train { stroke: var(--train); }
  .line.held { stroke: var(--held); }
  .line.rate { stroke: var(--rate); }
  .line.p0 { stroke: var(--p0); } .line.p1 { stroke: var(--p1); } .line.p2 { stroke: var(--p2); }
  .line.p3 { stroke: var(--p3); } .line.p4 { stroke: var(--p4); } .line.p5 { stroke: var(--p5); }
  .dot.p0 { fill: var(--p0); } .dot.p1 { fill: var(--p1); } .dot.p2 { fill: var(--p2); }
  .dot.p3 { fill: var(--p3); } .dot.p4 { fill: var(--p4); } .dot.p5 { fill: var(--p5); }
  .key.p0::before { background: var(--p0); } .key.p1::before { background: var(--p1); }
  .key.p2::before { background: var(--p2); } .key.p3::before { background: var(--p3); }
  .key.p4::before { background: var(--p4); } .key.p5::before { background: var(--p5); }
  .line.faint { stroke-width: 1; opacity: 0.28; }
  .dot { stroke: var(--paper); stroke-width: 1; }
  .dot.train { fill: var(--train); }
  .dot.held { fill: var(--held); }
  .dot.rate { fill: var(--rate); }
  pre { margin: 0; padding: 16px 18px; border-radius: 8px; border: 1px solid var(--rule);
    background: var(--code);
    font: 13.5px/1.55 ui-monospace, "SF Mono", Menlo, Consolas, "Liberation Mono", monospace; }
  pre.code { overflow-x: auto; }
  pre.text { background: var(--paper); white-space: pre-wrap; overflow-wrap: anywhere; margin-bottom: 14px; }
  pre.text b { color: var(--train); }
  table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
  .plain { font-size: 14.5px; }
  .plain td { padding: 4px 28px 4px 0; border-bottom: 1px solid var(--rule); }
  .plain .n { text-align: right; white-space: nowrap; }
  .plain th { text-align: right; font-weight: 500; color: var(--soft); padding: 4px 28px 4px 0; }
  .plain th:first-child { text-align: left; }
  .plain .total td { font-weight: 600; }
  .bar { display: flex; position: relative; height: 26px; margin: 4px 0 16px; border-radius: 6px;
    background: var(--rule); overflow: hidden; }
  .bar i { display: block; }
  .bar b { position: absolute; top: 0; bottom: 0; width: 2px; margin-left: -2px; background: var(--ink); }
  .swatch { display: inline-block; width: 11px; height: 11px; border-radius: 3px; margin-right: 9px; }
  .part0 { background: var(--p0); } .part1 { background: var(--p1); } .part2 { background: var(--p2); }
  .part3 { background: var(--p3); } .part4 { background: var(--p4); } .part5 { background: var(--p5); }
  .scroll { overflow-x: auto; }
  .heat { font-size: 13px; }
  .heat td { text-align: center; padding: 3px 4px; min-width: 48px; height: 44px;
    border: 2px solid var(--page);
    border-radius: 6px; line-height: 1.25; }
  .heat small { display: block; font-size: 11px; opacity: 0.75; }
  .heat th { font-weight: 500; color: var(--soft); padding: 3px 8px; }
  .heat .corner { font-size: 11.5px; text-align: left; vertical-align: bottom; white-space: nowrap; }
  .heat .down { text-align: right; white-space: nowrap; }
  .heat .across { vertical-align: bottom; padding: 3px 2px; font-size: 12px; line-height: 1.2; }
  .heat .hit { background: color-mix(in srgb, var(--train) calc(8% + var(--share) * 50%), var(--paper)); }
  .heat .miss { background: color-mix(in srgb, var(--held) calc(min(1, var(--share) * 4) * 62%),
    var(--paper)); }
  .heat .recall { color: var(--soft); white-space: nowrap; padding-left: 10px; }
  .gallery { display: grid; grid-template-columns: repeat(auto-fill, minmax(126px, 1fr)); gap: 18px 14px; }
  .card { margin: 0; font-size: 13px; line-height: 1.35; }
  .card img { display: block; width: 100%; aspect-ratio: 1; object-fit: contain; image-rendering: pixelated;
    border: 1px solid var(--rule); border-radius: 6px; margin-bottom: 6px; background: #000; }
  .card figcaption { display: block; overflow-wrap: anywhere; }
  .card small { color: var(--soft); }
  @media print { body { background: #fff; } section { break-inside: avoid; } }

  """
