// A text that did not arrive is corrected and sent: what it was, where it goes, and what becomes of the old one.
import { useQueryClient } from '@tanstack/react-query';
import { Input } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api } from '../../api/client';
import { useChannelName } from '../../api/lists';
import type { StoredDelivery, StoredMessage } from '../../api/schema';
import { act } from '../../app/confirmed';
import { say } from '../../app/notices';
import { Confirm } from '../../components/Confirm';
import { Id, Pairs } from '../../components/Facts';
import { Field } from '../../components/Field';
import { Icon } from '../../components/Icon';
import { lackOf, mayArriveTwice } from './correction';
import './outbox.css';

export function CorrectDialog(props: { delivery: StoredDelivery; message: StoredMessage; close: () => void; done: (deliveryId: string) => void }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const channelName = useChannelName();
  const { delivery: old, message } = props;
  const [text, setText] = useState(message.text);
  const lack = lackOf(text, message.text, old.state);
  const run = async () => {
    const path = { delivery_id: old.delivery_id };
    const sent = await act(() => api.POST('/wunder/admin/channels/outbox/{delivery_id}/correct', { params: { path }, body: { text } }));
    say(t('outbox.corrected'));
    void client.invalidateQueries({ queryKey: ['delivery'] });
    props.done(sent.delivery_id);
  };
  return (
    <Confirm title={t('outbox.correctTitle')} action={t('outbox.correctSend')} disabled={lack !== null} close={props.close} run={run}>
      <Pairs
        of={[
          [t('account.name'), `${old.account_id} · ${channelName(old.channel)}`],
          [t('outbox.to'), <span key="to" className="row wrap">{message.peer_name} <Id value={old.peer_id} full /></span>],
          [t('outbox.thread'), old.thread_id && <Id key="thread" value={old.thread_id} full />],
        ]}
      />
      <section className="stack tight">
        <h3>{t('outbox.oldText')}</h3>
        <blockquote className="said">{message.text}</blockquote>
      </section>
      <Field label={t('outbox.newText')} required hint={lack === 'unchanged' ? t('outbox.unchanged') : message.format === 'markdown' ? t('outbox.markdown') : undefined}>
        <Input.TextArea autoFocus autoSize={{ minRows: 3, maxRows: 12 }} value={text} onChange={(event) => setText(event.target.value)} />
      </Field>
      {mayArriveTwice(old) && (
        <div className="note warn">
          <Icon name="warning" />
          {t('outbox.bothTexts')}
        </div>
      )}
      <p>
        {t('outbox.correctText')} {(message.attachments ?? []).length > 0 && t('outbox.attachmentsStay', { count: message.attachments?.length })}
      </p>
    </Confirm>
  );
}
