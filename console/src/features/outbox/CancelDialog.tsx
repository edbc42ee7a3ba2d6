// Deliveries that are not to go out: asked once, since nothing sends them afterwards.
import { useQueryClient } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { api } from '../../api/client';
import { act } from '../../app/confirmed';
import { say } from '../../app/notices';
import { Confirm } from '../../components/Confirm';

/** So many go in one call. */
const STEP = 100;

export function CancelDialog(props: { ids: string[]; close: () => void; done: () => void }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const run = async () => {
    let done = 0;
    let left = 0;
    for (let at = 0; at < props.ids.length; at += STEP) {
      const ids = props.ids.slice(at, at + STEP);
      const answer = await act(() => api.POST('/wunder/admin/channels/outbox/cancel', { body: { ids } }));
      done += answer.cancelled.length;
      left += answer.left.length;
    }
    say(left ? t('outbox.notCancelled', { done, left }) : t('outbox.cancelled', { count: done }));
    void client.invalidateQueries({ queryKey: ['delivery'] });
    props.done();
  };
  return (
    <Confirm title={t('outbox.cancelTitle')} action={t('outbox.cancelCount', { count: props.ids.length })} danger close={props.close} run={run}>
      <p>{t('outbox.cancelText')}</p>
    </Confirm>
  );
}
