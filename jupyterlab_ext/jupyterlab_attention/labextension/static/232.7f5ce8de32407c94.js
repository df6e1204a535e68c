"use strict";(self.rspackChunkjupyterlab_attention=self.rspackChunkjupyterlab_attention||[]).push([[232],{21(t,o,e){var n=e(22),r=e.n(n),a=e(23),i=(e.n(a))()(r());i.push([t.id,`.jp-attention-panels {
  min-width: 300px !important;
}

.jp-attention-section {
  box-sizing: border-box;
  padding: 8px;
  overflow: auto;
  min-height: 60px;
  color: var(--jp-ui-font-color1);
  background: var(--jp-layout-color1);
  font-family: var(--jp-ui-font-family);
  font-size: var(--jp-ui-font-size1);
  line-height: 1.4;
}

.jp-attention-section p {
  margin: 4px 0;
}

.jp-attention-section [hidden] {
  display: none;
}

.jp-attention-title {
  margin: 0 0 6px;
  font-size: var(--jp-ui-font-size2);
  font-weight: 600;
}

.jp-attention-section code {
  font-family: var(--jp-code-font-family);
  font-size: var(--jp-code-font-size);
}

.jp-attention-empty {
  color: var(--jp-ui-font-color1);
}

.jp-attention-row,
.jp-attention-row label {
  display: flex;
  flex-wrap: wrap;
  gap: 4px 8px;
  align-items: center;
  min-width: 0;
}

.jp-attention-controls {
  display: grid;
  gap: 4px;
  margin-bottom: 6px;
}

.jp-attention-slider {
  flex: 1 1 100px;
  min-width: 80px;
  accent-color: var(--jp-brand-color1);
}

.jp-attention-value {
  min-width: 2.5em;
  font-variant-numeric: tabular-nums;
}

.jp-attention-select {
  max-width: 100%;
  min-height: 24px;
  padding: 2px 4px;
  color: var(--jp-ui-font-color1);
  background: var(--jp-layout-color1);
  border: 1px solid var(--jp-border-color0);
  border-radius: 2px;
  font: inherit;
}

.jp-attention-button {
  min-height: 28px;
  padding: 2px 10px;
  color: var(--jp-ui-font-color1);
  background: var(--jp-layout-color2);
  border: 1px solid var(--jp-border-color0);
  border-radius: 3px;
  font: inherit;
  cursor: pointer;
}

.jp-attention-button:hover {
  background: var(--jp-layout-color3);
}

.jp-attention-link {
  padding: 2px 0;
  color: var(--jp-content-link-color, var(--jp-brand-color1));
  background: none;
  border: 0;
  font: inherit;
  text-align: left;
  text-decoration: underline;
  cursor: pointer;
}

.jp-attention-section :is(button, select, summary, input):focus-visible,
.jp-attention-figure:focus-visible,
.jp-attention-scroll:focus-visible {
  outline: 2px solid var(--jp-brand-color1);
  outline-offset: 1px;
}

/* Hints */

.jp-attention-verdict {
  margin: 0 0 8px;
  padding: 6px 8px;
  background: var(--jp-layout-color2);
  border-left: 4px solid var(--jp-border-color0);
}

.jp-attention-verdict[data-outcome='passed'] {
  border-left-color: var(--jp-success-color1);
}

.jp-attention-verdict[data-outcome='failed'] {
  border-left-color: var(--jp-warn-color1);
}

.jp-attention-tiers details {
  margin-bottom: 6px;
  border: 1px solid var(--jp-border-color1);
  border-radius: 3px;
}

.jp-attention-tiers summary {
  padding: 4px 8px;
  font-weight: 600;
  cursor: pointer;
}

.jp-attention-tier {
  padding: 0 8px 4px;
}

.jp-attention-tier .jp-RenderedHTMLCommon {
  padding-right: 0;
  font-size: var(--jp-ui-font-size1);
}

/* Attention */

.jp-attention-plots {
  display: flex;
  flex-wrap: wrap;
  gap: 8px;
}

.jp-attention-figure {
  min-width: 0;
}

.jp-attention-kind {
  font-weight: 600;
}

.jp-attention-words,
.jp-attention-notices {
  color: var(--jp-ui-font-color1);
  font-size: var(--jp-ui-font-size1);
}

.jp-attention-words {
  max-width: 420px;
}

.jp-attention-notices:not(:empty) {
  margin: 6px 0;
  padding: 2px 8px;
  border-left: 4px solid var(--jp-info-color1);
}

/* What is read out stays in sight while the pictures scroll. */
.jp-attention-section .jp-attention-status {
  position: sticky;
  bottom: -8px;
  box-sizing: border-box;
  margin: 4px -8px -8px;
  padding: 4px 8px;
  background: var(--jp-layout-color2);
  border-top: 1px solid var(--jp-border-color2);
}

.jp-attention-table summary {
  cursor: pointer;
}

.jp-attention-scroll {
  margin: 6px 0;
  overflow: auto;
  max-height: 320px;
}

.jp-attention-scroll table {
  border-collapse: collapse;
  font-variant-numeric: tabular-nums;
}

.jp-attention-scroll caption {
  padding: 2px 0;
  font-weight: 600;
  text-align: left;
}

.jp-attention-scroll th,
.jp-attention-scroll td {
  max-width: 12em;
  padding: 2px 6px;
  overflow: hidden;
  border: 1px solid var(--jp-border-color2);
  text-align: right;
  text-overflow: ellipsis;
  white-space: nowrap;
}

/* Progress */

#jp-attention-progress ol {
  margin: 6px 0;
  padding: 0;
  list-style: none;
}

#jp-attention-progress li {
  display: grid;
  grid-template-columns: 1.6em 1fr;
  padding: 3px 4px;
  border-left: 4px solid transparent;
}

#jp-attention-progress li[aria-current] {
  border-left-color: var(--jp-brand-color1);
  background: var(--jp-layout-color2);
}

#jp-attention-progress progress {
  flex: 1;
  accent-color: var(--jp-success-color1);
}

.jp-attention-sign {
  font-weight: 700;
}

[data-outcome='passed'] > .jp-attention-sign {
  color: var(--jp-success-color0, var(--jp-success-color1));
}

.jp-attention-facts {
  grid-column: 2;
  font-size: var(--jp-ui-font-size1);
}
`,""]),e.d(o,{},{A:i})},23(t){t.exports=function(t){var o=[];return o.toString=function(){return this.map(function(o){var e="",n=void 0!==o[5];return o[4]&&(e+="@supports (".concat(o[4],") {")),o[2]&&(e+="@media ".concat(o[2]," {")),n&&(e+="@layer".concat(o[5].length>0?" ".concat(o[5]):""," {")),e+=t(o),n&&(e+="}"),o[2]&&(e+="}"),o[4]&&(e+="}"),e}).join("")},o.i=function(t,e,n,r,a){"string"==typeof t&&(t=[[null,t,void 0]]);var i={};if(n)for(var p=0;p<this.length;p++){var s=this[p][0];null!=s&&(i[s]=!0)}for(var c=0;c<t.length;c++){var l=[].concat(t[c]);n&&i[l[0]]||(void 0!==a&&(void 0===l[5]||(l[1]="@layer".concat(l[5].length>0?" ".concat(l[5]):""," {").concat(l[1],"}")),l[5]=a),e&&(l[2]&&(l[1]="@media ".concat(l[2]," {").concat(l[1],"}")),l[2]=e),r&&(l[4]?(l[1]="@supports (".concat(l[4],") {").concat(l[1],"}"),l[4]=r):l[4]="".concat(r)),o.push(l))}},o}},22(t){t.exports=function(t){return t[1]}},15(t){var o=[];function e(t){for(var e=-1,n=0;n<o.length;n++)if(o[n].identifier===t){e=n;break}return e}function n(t,n){for(var r={},a=[],i=0;i<t.length;i++){var p=t[i],s=n.base?p[0]+n.base:p[0],c=r[s]||0,l="".concat(s," ").concat(c);r[s]=c+1;var d=e(l),u={css:p[1],media:p[2],sourceMap:p[3],supports:p[4],layer:p[5]};if(-1!==d)o[d].references++,o[d].updater(u);else{var f=function(t,o){var e=o.domAPI(o);return e.update(t),function(o){o?(o.css!==t.css||o.media!==t.media||o.sourceMap!==t.sourceMap||o.supports!==t.supports||o.layer!==t.layer)&&e.update(t=o):e.remove()}}(u,n);n.byIndex=i,o.splice(i,0,{identifier:l,updater:f,references:1})}a.push(l)}return a}t.exports=function(t,r){var a=n(t=t||[],r=r||{});return function(t){t=t||[];for(var i=0;i<a.length;i++){var p=e(a[i]);o[p].references--}for(var s=n(t,r),c=0;c<a.length;c++){var l=e(a[c]);0===o[l].references&&(o[l].updater(),o.splice(l,1))}a=s}}},17(t){var o={};t.exports=function(t,e){var n=function(t){if(void 0===o[t]){var e=document.querySelector(t);if(window.HTMLIFrameElement&&e instanceof window.HTMLIFrameElement)try{e=e.contentDocument.head}catch(t){e=null}o[t]=e}return o[t]}(t);if(!n)throw Error("Couldn't find a style target. This probably means that the value for the 'insert' parameter is invalid.");n.appendChild(e)}},19(t){t.exports=function(t){var o=document.createElement("style");return t.setAttributes(o,t.attributes),t.insert(o,t.options),o}},18(t,o,e){t.exports=function(t){var o=e.nc;o&&t.setAttribute("nonce",o)}},16(t){t.exports=function(t){if("u"<typeof document)return{update:function(){},remove:function(){}};var o=t.insertStyleElement(t);return{update:function(e){var n,r,a;n="",e.supports&&(n+="@supports (".concat(e.supports,") {")),e.media&&(n+="@media ".concat(e.media," {")),(r=void 0!==e.layer)&&(n+="@layer".concat(e.layer.length>0?" ".concat(e.layer):""," {")),n+=e.css,r&&(n+="}"),e.media&&(n+="}"),e.supports&&(n+="}"),(a=e.sourceMap)&&"u">typeof btoa&&(n+="\n/*# sourceMappingURL=data:application/json;base64,".concat(btoa(unescape(encodeURIComponent(JSON.stringify(a))))," */")),t.styleTagTransform(n,o,t.options)},remove:function(){var t;null===(t=o).parentNode||t.parentNode.removeChild(t)}}}},20(t){t.exports=function(t,o){if(o.styleSheet)o.styleSheet.cssText=t;else{for(;o.firstChild;)o.removeChild(o.firstChild);o.appendChild(document.createTextNode(t))}}},14(t,o,e){var n=e(15),r=e.n(n),a=e(16),i=e.n(a),p=e(17),s=e.n(p),c=e(18),l=e.n(c),d=e(19),u=e.n(d),f=e(20),v=e.n(f),j=e(21),x={};x.styleTagTransform=v(),x.setAttributes=l(),x.insert=s().bind(null,"head"),x.domAPI=i(),x.insertStyleElement=u(),r()(j.A,x),j.A&&j.A.locals&&j.A.locals}}]);