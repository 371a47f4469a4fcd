//! Whether what is seen can be read.

/// Every visible text against what lies behind it, by WCAG's formula; empty where all are AA.
pub(crate) const TOO_PALE: &str = r"(() => {
  const parse = (colour) => { const [r, g, b, a = 1] = colour.match(/[\d.]+/g).map(Number); return { rgb: [r, g, b], a }; };
  const luminance = (rgb) => rgb.map((c) => c / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (node) => {
    for (; node; node = node.parentElement ?? node.getRootNode().host) {
      const { rgb, a } = parse(getComputedStyle(node).backgroundColor);
      if (a === 1) return rgb;
    }
    return [255, 255, 255];
  };
  const within = (root) => [...root.querySelectorAll('*')].flatMap((node) => [node, ...(node.shadowRoot ? within(node.shadowRoot) : [])]);
  const pale = [];
  for (const node of within(document.body)) {
    const own = [...node.childNodes].some((child) => child.nodeType === 3 && child.data.trim());
    if (!own || node.disabled || !node.checkVisibility({ visibilityProperty: true })) continue;
    const [one, two] = [parse(getComputedStyle(node).color).rgb, behind(node)].map(luminance).sort((a, b) => b - a);
    const ratio = (one + 0.05) / (two + 0.05);
    if (ratio < 4.5) pale.push(`${node.tagName}.${node.className} ${node.textContent} ${ratio.toFixed(2)}`);
  }
  return pale.join('\n');
})()";
