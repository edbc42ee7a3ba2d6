// The form of an own account.
import { Button, Input } from 'antd';
import { useTranslation } from 'react-i18next';
import { api } from '../../api/client';
import type { AccountView, ProviderView } from '../../api/schema';
import { act } from '../../app/confirmed';
import { say } from '../../app/notices';
import { Field } from '../../components/Field';
import { Card } from '../../components/Page';
import { Meanwhile, NotSaved, SeeMeanwhile } from '../../forms/Meanwhile';
import { SchemaForm } from '../../forms/SchemaForm';
import { useSending } from '../../forms/sending';
import { wholeUrl } from '../accounts/calls';
import { useDraft } from '../accounts/draft';
import { useLeaveGuard } from '../accounts/leaveGuard';

export function Edit(props: { account: AccountView; provider: ProviderView; refresh: (fresh?: AccountView) => Promise<void> }) {
  const { t } = useTranslation();
  const { account, provider } = props;
  const { draft, rev, change, form, reset, isChanged, config, settle, theirs, keepMine, takeTheirs } = useDraft(account);
  const { faults, error, busy, send } = useSending(props.refresh);
  const leave = useLeaveGuard(isChanged);
  const save = () =>
    send(async () => {
      const fresh = await act(() =>
        api.PUT('/wunder/channels/accounts/{channel}/{account_id}', {
          params: { path: { channel: account.channel, account_id: account.account_id }, header: { 'If-Match': String(rev) } },
          body: {
            channel: account.channel,
            account_id: account.account_id,
            display_name: draft.displayName,
            is_enabled: account.status !== 'disabled',
            provider_config: config() as never,
            access: draft.access,
          },
        }),
      );
      settle(fresh, draft);
      void props.refresh(fresh);
      say(t('account.saved'));
    });
  return (
    <Card title={t('account.tab.config')}>
      <div className="stack wide" style={{ maxWidth: 600 }}>
        <Field label={t('account.displayName')}>
          <Input maxLength={100} value={draft.displayName} onChange={(event) => change({ displayName: event.target.value })} />
        </Field>
        <SchemaForm
          schema={provider.account_schema}
          {...form}
          submit={() => void save()}
          faults={faults}
          prefix="/provider_config"
          audience="user"
          formId="own-form"
          webhookUrl={wholeUrl(account.webhook_url)}
        />
        <Meanwhile theirs={theirs} schema={provider.account_schema} keepMine={keepMine} takeTheirs={takeTheirs} />
        {error !== null && !theirs.length && <NotSaved error={error} />}
      </div>
      <div className="save-bar">
        <Button type="primary" htmlType="submit" form="own-form" loading={busy} disabled={!isChanged || theirs.length > 0}>
          {t('do.save')}
        </Button>
        <Button type="text" disabled={!isChanged || busy} onClick={reset}>
          {t('do.discard')}
        </Button>
        {theirs.length > 0 && <SeeMeanwhile />}
      </div>
      {leave.dialog}
    </Card>
  );
}
