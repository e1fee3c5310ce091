// Dialogs: the browser's own, which keep the focus inside and give it back.

/** prepare lets a dialog be closed by its data-close buttons and by a click beside it. */
export function prepare(dialog) {
  dialog.addEventListener('click', (event) => {
    if (event.target === dialog || event.target.closest('[data-close]')) dialog.close();
  });
  return dialog;
}
