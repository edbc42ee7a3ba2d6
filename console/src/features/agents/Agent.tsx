// One agent: its form, which comes from the gateway, and trying it.
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate, useParams } from '@tanstack/react-router';
import { Button, Checkbox, Input, Segmented } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ApiError, api, take } from '../../api/client';
import type { AgentView } from '../../api/schema';
import { act } from '../../app/confirmed';
import { say } from '../../app/notices';
import { useMay } from '../../app/session';
import { Confirm } from '../../components/Confirm';
import { Field } from '../../components/Field';
import { Icon } from '../../components/Icon';
import { Menu } from '../../components/Menu';
import { BarePage, Card, Page } from '../../components/Page';
import { Failed, Skeleton } from '../../components/States';
import { useDrafted } from '../../forms/drafted';
import type { Fault } from '../../forms/faults';
import { isStale, Meanwhile, NotSaved, SeeMeanwhile } from '../../forms/Meanwhile';
import { SchemaForm } from '../../forms/SchemaForm';
import { fromGateway, toGateway } from '../../forms/secrets';
import { useFaultWords } from '../../forms/words';
import { duration } from '../../i18n/format';
import { useLeaveGuard } from '../accounts/leaveGuard';
import '../accounts/gallery.css';
import '../outbox/outbox.css';

type Kind = AgentView['kind'];

interface Draft {
  kind: Kind;
  agentId: string;
  config: Record<string, unknown>;
  saved: ReadonlySet<string>;
  cleared: ReadonlySet<string>;
  isDefault: boolean;
  isForUsers: boolean;
}

function draftOf(agent: AgentView | undefined): Draft {
  const { value, saved } = fromGateway(agent?.config);
  return {
    kind: agent?.kind ?? 'openai',
    agentId: agent?.agent_id ?? '',
    config: value,
    saved,
    cleared: new Set(),
    isDefault: agent?.is_default ?? false,
    isForUsers: agent?.is_visible_to_users ?? false,
  };
}

export function AgentPage() {
  const { agentId } = useParams({ from: '/in/agents/$agentId' });
  const isNew = agentId === 'new';
  const agent = useQuery({
    queryKey: ['agent', agentId],
    queryFn: () => take(api.GET('/wunder/admin/agents/{agent_id}', { params: { path: { agent_id: agentId } } })),
    enabled: !isNew,
  });
  const kinds = useQuery({
    queryKey: ['agent-kinds'],
    queryFn: () => take(api.GET('/wunder/admin/agent_kinds')),
    staleTime: Number.POSITIVE_INFINITY,
  });
  if (kinds.isPending || (!isNew && agent.isPending)) return <Skeleton lines={8} />;
  if (!kinds.data) return <Failed error={kinds.error} retry={() => void kinds.refetch()} />;
  if (!isNew && !agent.data) return <BarePage title={agentId}><Failed error={agent.error} retry={() => void agent.refetch()} /></BarePage>;
  const schemas = Object.fromEntries(kinds.data.items.map((one) => [one.kind, one.config_schema])) as Record<Kind, unknown>;
  // One that was removed and made again is another one.
  const key = agent.data ? `${agent.data.agent_id}@${agent.data.created_at}` : 'new';
  const isGone = agent.error instanceof ApiError && agent.error.status === 404;
  return <AgentForm key={key} agent={agent.data} isGone={isGone} schemas={schemas} />;
}

function AgentForm(props: { agent: AgentView | undefined; isGone: boolean; schemas: Record<Kind, unknown> }) {
  const { t } = useTranslation();
  const { agent } = props;
  const navigate = useNavigate();
  const client = useQueryClient();
  const words = useFaultWords();
  const mayWrite = useMay('admin') && !props.isGone;
  const mayOperate = useMay('operator') && !props.isGone;
  const { draft, rev, change, form, reset, isChanged, settle, theirs, keepMine, takeTheirs } = useDrafted(agent, draftOf);
  const { kind } = draft;
  const [faults, setFaults] = useState<Fault[]>([]);
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const [isRemoving, setRemoving] = useState(false);
  const leave = useLeaveGuard(isChanged && !busy);
  const save = async () => {
    setBusy(true);
    setFaults([]);
    setError(null);
    const body = {
      agent_id: draft.agentId,
      kind,
      config: toGateway(draft.config, draft.cleared) as never,
      is_default: draft.isDefault,
      is_visible_to_users: draft.isForUsers,
    };
    try {
      const made = agent
        ? await act(() =>
            api.PUT('/wunder/admin/agents/{agent_id}', {
              params: { path: { agent_id: agent.agent_id }, header: { 'If-Match': String(rev) } },
              body,
            }),
          )
        : await act(() => api.POST('/wunder/admin/agents', { body }));
      say(t('agent.saved'));
      leave.allow();
      settle(made, draft);
      client.setQueryData(['agent', made.agent_id], made);
      void client.invalidateQueries({ queryKey: ['agents'] });
      setBusy(false);
      if (!agent) await navigate({ to: '/agents/$agentId', params: { agentId: made.agent_id }, replace: true });
    } catch (caught) {
      // What they saved is fetched first: the form then says what differs.
      if (agent && isStale(caught)) await client.invalidateQueries({ queryKey: ['agent', agent.agent_id] });
      if (caught instanceof ApiError && caught.faults.length) setFaults(caught.faults);
      else setError(caught);
      setBusy(false);
    }
  };
  const idFault = faults.find((one) => one.pointer === '/agent_id');
  return (
    <Page
      title={agent?.agent_id ?? t('agent.add')}
      lead={
        <>
          <Link to="/agents">{t('nav.agents')}</Link>
          <span className="muted">/</span>
        </>
      }
      actions={
        agent &&
        mayWrite && (
          <Menu
            label={t('do.actionsOf', { what: agent.agent_id })}
            items={[
              {
                key: 'remove',
                label: t('do.remove'),
                danger: true,
                blocked: agent.is_default ? t('agent.defaultStays') : undefined,
                run: () => setRemoving(true),
              },
            ]}
          >
            <Icon name="more" />
          </Menu>
        )
      }
    >
      {props.isGone && (
        <div className="note err" role="alert">
          <Icon name="warning" />
          {t('agent.gone')}
        </div>
      )}
      <div className="columns">
        <Card>
          <div className="stack wide" style={{ maxWidth: 640 }}>
            <div className="field">
              <span className="label" id="kind-label">
                {t('agent.kind')}
              </span>
              <Segmented<Kind>
                aria-labelledby="kind-label"
                value={kind}
                disabled={!!agent}
                options={(Object.keys(props.schemas) as Kind[]).map((one) => ({ value: one, label: t(`agent.kinds.${one}`) }))}
                onChange={(chosen) => {
                  change({ kind: chosen, config: {} });
                  setFaults([]);
                }}
              />
              <span className="hint">{t(`agent.kindText.${kind}`)}</span>
            </div>
            <Field label={t('agent.id')} required fault={idFault && words(idFault.code, undefined, idFault.message)} hint={agent ? undefined : t('account.idHint')}>
              <Input
                className="mono"
                value={draft.agentId}
                disabled={!!agent || !mayWrite}
                maxLength={64}
                spellCheck={false}
                onChange={(event) => change({ agentId: event.target.value })}
              />
            </Field>
            <SchemaForm
              key={kind}
              schema={props.schemas[kind]}
              {...form}
              submit={() => void save()}
              faults={faults.filter((one) => one.pointer !== '/agent_id')}
              prefix="/config"
              audience="admin"
              formId="agent-form"
              readOnly={!mayWrite}
            />
            <Checkbox checked={draft.isDefault} disabled={!mayWrite || agent?.is_default} onChange={(event) => change({ isDefault: event.target.checked })}>
              {t('agent.makeDefault')}
            </Checkbox>
            <Checkbox checked={draft.isForUsers} disabled={!mayWrite} onChange={(event) => change({ isForUsers: event.target.checked })}>
              {t('agent.makeForUsers')}
            </Checkbox>
            <Meanwhile theirs={theirs} schema={props.schemas[kind]} keepMine={keepMine} takeTheirs={takeTheirs} />
            {error !== null && !theirs.length && <NotSaved error={error} />}
          </div>
          {mayWrite && (
            <div className="save-bar">
              <Button type="primary" htmlType="submit" form="agent-form" loading={busy} disabled={!draft.agentId || (agent && !isChanged) || theirs.length > 0}>
                {agent ? t('do.save') : t('agent.create')}
              </Button>
              {agent && (
                <Button type="text" disabled={!isChanged || busy} onClick={reset}>
                  {t('do.discard')}
                </Button>
              )}
              {theirs.length > 0 ? <SeeMeanwhile /> : isChanged && <span className="meta">{t('account.unsaved')}</span>}
            </div>
          )}
        </Card>
        {agent && mayOperate && <TryAgent agentId={agent.agent_id} isStale={isChanged} />}
      </div>
      {leave.dialog}
      {isRemoving && agent && (
        <Confirm
          title={t('agent.removeTitle', { id: agent.agent_id })}
          action={t('do.remove')}
          danger
          typed={agent.agent_id}
          close={() => setRemoving(false)}
          run={async () => {
            await act(() => api.DELETE('/wunder/admin/agents/{agent_id}', { params: { path: { agent_id: agent.agent_id } } }));
            void client.invalidateQueries({ queryKey: ['agents'] });
            await navigate({ to: '/agents' });
          }}
        >
          <p>{t('agent.removeText')}</p>
        </Confirm>
      )}
    </Page>
  );
}

function TryAgent(props: { agentId: string; isStale: boolean }) {
  const { t } = useTranslation();
  const [text, setText] = useState('');
  const run = useMutation({
    mutationFn: () =>
      act(() => api.POST('/wunder/admin/agents/{agent_id}/try', { params: { path: { agent_id: props.agentId } }, body: { text } })),
  });
  return (
    <Card title={t('agent.try')}>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          run.mutate();
        }}
      >
        <Field label={t('agent.say')} hint={props.isStale ? t('agent.tryStale') : t('agent.tryHint')}>
          <Input.TextArea autoSize={{ minRows: 2, maxRows: 6 }} value={text} onChange={(event) => setText(event.target.value)} />
        </Field>
        <Button htmlType="submit" loading={run.isPending} disabled={!text.trim()}>
          {t('agent.send')}
        </Button>
        <div aria-live="polite" className="stack tight">
          {run.error && <Failed error={run.error} compact />}
          {run.data?.replies.map((one, index) => (
            <blockquote key={index} className="said">
              {one.text}
            </blockquote>
          ))}
          {run.data && <span className="meta">{duration(run.data.took_ms)}</span>}
        </div>
      </form>
    </Card>
  );
}
