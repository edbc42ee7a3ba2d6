// Agents: what answers.
import { useNavigate } from '@tanstack/react-router';
import { Button } from 'antd';
import { useTranslation } from 'react-i18next';
import { useAgents } from '../../api/lists';
import type { AgentView } from '../../api/schema';
import { useMay } from '../../app/session';
import { DataTable, type Column } from '../../components/DataTable';
import { Time } from '../../components/Facts';
import { Icon } from '../../components/Icon';
import { Card, Page } from '../../components/Page';
import { Empty, Failed, Skeleton } from '../../components/States';
import { Tag } from '../../components/Status';

export function AgentsPage() {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const mayWrite = useMay('admin');
  const agents = useAgents();
  const columns: Column<AgentView>[] = [
    {
      key: 'id',
      title: t('agent.id'),
      cell: (one) => (
        <span className="row">
          <strong>{one.agent_id}</strong>
          {one.is_default && <Tag tone="ok">{t('agent.isDefault')}</Tag>}
          {one.is_visible_to_users && <Tag>{t('agent.forUsers')}</Tag>}
        </span>
      ),
    },
    { key: 'kind', title: t('agent.kind'), cell: (one) => t(`agent.kinds.${one.kind}`) },
    {
      key: 'where',
      title: t('agent.where'),
      cell: (one) => {
        const config = one.config as Record<string, unknown>;
        const where = [config.model, config.base_url ?? config.url].filter((part) => typeof part === 'string' && part !== '');
        return where.length ? <code className="second">{where.join(' · ')}</code> : <span className="muted">–</span>;
      },
    },
    { key: 'updated', title: t('account.changed'), cell: (one) => <Time at={one.updated_at} /> },
  ];
  const add = mayWrite && (
    <Button type="primary" icon={<Icon name="plus" size={14} />} onClick={() => void navigate({ to: '/agents/$agentId', params: { agentId: 'new' } })}>
      {t('agent.add')}
    </Button>
  );
  return (
    <Page title={t('nav.agents')} actions={add}>
      <Card flush>
        {agents.isPending ? (
          <Skeleton lines={3} />
        ) : !agents.data ? (
          <Failed error={agents.error} retry={() => void agents.refetch()} />
        ) : agents.data.items.length === 0 ? (
          <Empty icon="agent" text={t('agent.none')} action={add} />
        ) : (
          <DataTable
            label={t('nav.agents')}
            rows={agents.data.items}
            columns={columns}
            id={(one) => one.agent_id}
            open={(one) => void navigate({ to: '/agents/$agentId', params: { agentId: one.agent_id } })}
          />
        )}
      </Card>
    </Page>
  );
}
