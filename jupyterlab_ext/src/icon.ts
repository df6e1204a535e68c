import { LabIcon } from '@jupyterlab/ui-components';

// A small attention matrix: what is looked at most is darkest.
const svgstr = `<svg xmlns="http://www.w3.org/2000/svg" width="16" height="16" viewBox="0 0 16 16">
  <g class="jp-icon3" fill="#616161">
    <rect x="1" y="1" width="4" height="4"/>
    <rect x="6" y="1" width="4" height="4" opacity=".4"/>
    <rect x="11" y="1" width="4" height="4" opacity=".25"/>
    <rect x="1" y="6" width="4" height="4" opacity=".25"/>
    <rect x="6" y="6" width="4" height="4"/>
    <rect x="11" y="6" width="4" height="4" opacity=".6"/>
    <rect x="1" y="11" width="4" height="4" opacity=".6"/>
    <rect x="6" y="11" width="4" height="4" opacity=".25"/>
    <rect x="11" y="11" width="4" height="4"/>
  </g>
</svg>`;

export const attentionIcon = new LabIcon({
  name: 'jupyterlab-attention:attention',
  svgstr
});
