/** Makes the frame as high as the mail in it, and again when the window changes its width; the border is a pixel at each side. */
export const frameScript = `const frame = document.querySelector('iframe');
function fit() {
  const body = frame.contentDocument?.body;
  if (!body) return;
  frame.style.height = '0';
  frame.style.height = Math.ceil(body.getBoundingClientRect().bottom + parseFloat(getComputedStyle(body).marginBottom)) + 2 + 'px';
}
frame.addEventListener('load', fit);
addEventListener('resize', fit);
fit();
`;
