// Work in steps that was ordered: how far it is, and stopping it.
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Button } from 'antd';
import { useTranslation } from 'react-i18next';
import { api, take } from '../../api/client';
import type { Job } from '../../api/schema';
import { act } from '../../app/confirmed';
import { complain } from '../../app/notices';
import { useMay } from '../../app/session';
import { Time, useNow } from '../../components/Facts';
import { Card } from '../../components/Page';
import { Status } from '../../components/Status';
import './outbox.css';

const LOOK_MS = 1_000;
/** A job that ended is shown for so long. */
const STAYS_MS = 10 * 60_000;

export function Jobs() {
  const { t } = useTranslation();
  const client = useQueryClient();
  const now = useNow();
  const mayOperate = useMay('operator');
  const jobs = useQuery({
    queryKey: ['jobs'],
    queryFn: () => take(api.GET('/wunder/admin/jobs', { params: { query: { limit: 10 } } })),
    refetchInterval: (query) => (query.state.data?.items.some(isOpen) ? LOOK_MS : false),
  });
  const shown = (jobs.data?.items ?? []).filter((one) => isOpen(one) || now - (one.finished_at ?? 0) < STAYS_MS);
  if (!shown.length) return null;
  const cancel = async (job: Job) => {
    try {
      await act(() => api.POST('/wunder/admin/jobs/{job_id}/cancel', { params: { path: { job_id: job.job_id } } }));
    } catch (error) {
      complain(error);
    }
    void client.invalidateQueries({ queryKey: ['jobs'] });
  };
  return (
    <Card flush>
      {shown.map((one) => (
        <div key={one.job_id} className="job" role="status">
          <strong>{t(`job.${one.kind}`, { defaultValue: one.kind })}</strong>
          <progress value={one.done + one.skipped} max={Math.max(1, one.total)} aria-label={t('job.progress')} />
          <span className="num">
            {one.done + one.skipped} / {one.total}
          </span>
          {one.skipped > 0 && <span className="meta">{t('job.skipped', { count: one.skipped })}</span>}
          <Status kind="job" state={one.state} tone={isOpen(one) ? 'busy' : one.state === 'done' ? 'ok' : one.state === 'failed' ? 'err' : 'off'} />
          {one.error && <span style={{ color: 'var(--err)' }}>{one.error}</span>}
          <span className="meta grow">
            {one.created_by} · <Time at={one.created_at} />
          </span>
          {isOpen(one) && mayOperate && (
            <Button size="small" onClick={() => void cancel(one)}>
              {t('job.cancel')}
            </Button>
          )}
        </div>
      ))}
    </Card>
  );
}

function isOpen(job: Job): boolean {
  return job.state === 'running' || job.state === 'waiting';
}
