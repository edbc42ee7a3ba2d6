// A dialog that gives the focus back to where it came from, also where its page takes it away at once, and that a
// press beside it does not close: what was typed there would be gone.
import { Modal, type ModalProps } from 'antd';
import { useEffect, useState } from 'react';

const CLOSED = { closable: false };

export function Dialog(props: ModalProps) {
  // Before anything inside takes the focus.
  const [before] = useState(() => document.activeElement as HTMLElement | null);
  useEffect(
    () => () => {
      requestAnimationFrame(() => {
        // Somebody took it already, or another dialog stands there.
        if (document.activeElement && document.activeElement !== document.body) return;
        // What opened it may be gone with what was removed.
        (before?.isConnected ? before : document.getElementById('main'))?.focus();
      });
    },
    [before],
  );
  return <Modal mask={CLOSED} {...props} />;
}
