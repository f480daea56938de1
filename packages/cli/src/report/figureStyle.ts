/** The style of lines, axes and text in a figure: in a page, or inside a figure in a separate file. */
export const figureStyle = `svg { font: 12px system-ui, -apple-system, "Segoe UI", Roboto, Arial, sans-serif; }
svg text { fill: #62707d; } svg .strong { fill: #1f2933; font-weight: 600; } .middle { text-anchor: middle; } .end { text-anchor: end; }
.grid { stroke: #e8ecf0; } .tick, .axis { stroke: #aab4be; fill: none; }
.line { fill: none; stroke: #1f5fa8; stroke-width: 2; stroke-linejoin: round; } .faint { stroke: #a9c6e6; stroke-width: 1; }
.trajectory { fill: none; stroke: #8a97a5; stroke-opacity: .45; stroke-width: .8; }
.begin, .end-dot { fill: none; stroke-linecap: round; stroke-width: 4; } .begin { stroke: #e08a2e; } .end-dot { stroke: #1f5fa8; }
.small .trajectory { stroke-opacity: .75; stroke-width: .7; } .small .begin, .small .end-dot { stroke-width: 2.6; }
`;
