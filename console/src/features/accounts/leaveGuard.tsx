// Asks before what was typed is lost: on leaving the page, and on closing the tab.
import { useBlocker } from '@tanstack/react-router';
import { Button } from 'antd';
import { useRef, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Dialog } from '../../components/Dialog';

/** Guard a page while `isDirty`. `allow` lets the next step pass; `dialog` is to be drawn. */
export function useLeaveGuard(isDirty: boolean): { allow: () => void; dialog: ReactNode } {
  const { t } = useTranslation();
  const isAllowed = useRef(false);
  const blocker = useBlocker({
    shouldBlockFn: ({ current, next }) => isDirty && !isAllowed.current && current.pathname !== next.pathname,
    enableBeforeUnload: () => isDirty && !isAllowed.current,
    withResolver: true,
  });
  const dialog =
    blocker.status === 'blocked' ? (
      <Dialog
        open
        title={t('leave.title')}
        onCancel={blocker.reset}
        width={400}
        footer={
          <div className="row end">
            <Button danger onClick={blocker.proceed}>
              {t('leave.discard')}
            </Button>
            <Button type="primary" onClick={blocker.reset}>
              {t('leave.stay')}
            </Button>
          </div>
        }
      >
        {t('leave.text')}
      </Dialog>
    ) : null;
  return {
    allow: () => {
      isAllowed.current = true;
    },
    dialog,
  };
}
