// Bindings in the order in which they are asked; equally exact ones are dragged, or moved with the keys.
import { closestCenter, DndContext, KeyboardSensor, PointerSensor, useSensor, useSensors, type Announcements, type CollisionDetection, type DragEndEvent, type UniqueIdentifier } from '@dnd-kit/core';
import { SortableContext, sortableKeyboardCoordinates, useSortable, verticalListSortingStrategy } from '@dnd-kit/sortable';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import type { Binding } from '../../api/schema';
import type { Column } from '../../components/DataTable';
import { Icon } from '../../components/Icon';
import { exactness } from './order';
import './bindings.css';

interface TableProps {
  rows: Binding[];
  columns: Column<Binding>[];
  current: string;
  open?: (binding: Binding) => void;
  /** Absent: the reader may look and not move. */
  move?: (equals: Binding[], from: number, to: number) => void;
}

/** Only what is equally exact is a place to go to. */
const amongEquals: CollisionDetection = (asked) =>
  closestCenter({
    ...asked,
    droppableContainers: asked.droppableContainers.filter((one) => one.data.current?.level === asked.active.data.current?.level),
  });

export function BindingTable(props: TableProps) {
  const { t } = useTranslation();
  const { rows, columns, move } = props;
  const sensors = useSensors(
    useSensor(PointerSensor, { activationConstraint: { distance: 4 } }),
    useSensor(KeyboardSensor, { coordinateGetter: sortableKeyboardCoordinates }),
  );
  const equalsOf = (one: Binding) => rows.filter((each) => exactness(each) === exactness(one));
  const placeOf = (id: UniqueIdentifier) => {
    const one = rows.find((each) => each.binding_id === id);
    const equals = one ? equalsOf(one) : [];
    return { equals, at: equals.findIndex((each) => each.binding_id === id), place: equals.findIndex((each) => each.binding_id === id) + 1, of: equals.length };
  };
  const drop = ({ active, over }: DragEndEvent) => {
    if (!over || !move) return;
    const { equals, at } = placeOf(active.id);
    const to = placeOf(over.id).at;
    if (at !== to) move(equals, at, to);
  };
  const announcements: Announcements = {
    onDragStart: ({ active }) => t('binding.picked', placeOf(active.id)),
    onDragOver: ({ over }) => (over ? t('binding.over', placeOf(over.id)) : undefined),
    onDragEnd: ({ over }) => (over ? t('binding.dropped', placeOf(over.id)) : t('binding.dragCancelled')),
    onDragCancel: () => t('binding.dragCancelled'),
  };
  return (
    <DndContext
      sensors={sensors}
      collisionDetection={amongEquals}
      onDragEnd={drop}
      accessibility={{ announcements, screenReaderInstructions: { draggable: t('binding.dragHelp') } }}
    >
      <div className="table-wrap" tabIndex={0} role="region" aria-label={t('nav.bindings')}>
        <table className="list">
          <caption className="visually-hidden">{t('nav.bindings')}</caption>
          <thead>
            <tr>
              {move && (
                <th className="tick" scope="col">
                  <span className="visually-hidden">{t('binding.order')}</span>
                </th>
              )}
              {columns.map((column) => (
                <th key={column.key} scope="col" className={column.num ? 'num' : undefined} style={{ width: column.width }}>
                  {column.title}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            <SortableContext items={rows.map((one) => one.binding_id)} strategy={verticalListSortingStrategy}>
              {rows.map((one) => {
                const { place, of } = placeOf(one.binding_id);
                return <Row key={one.binding_id} binding={one} place={place} of={of} table={props} />;
              })}
            </SortableContext>
          </tbody>
        </table>
      </div>
    </DndContext>
  );
}

function Row(props: { binding: Binding; place: number; of: number; table: TableProps }) {
  const { t } = useTranslation();
  const { binding, place, of, table } = props;
  const isAlone = of < 2;
  const sortable = useSortable({ id: binding.binding_id, data: { level: exactness(binding) }, disabled: !table.move || isAlone });
  const { transform } = sortable;
  const name = t('binding.drag', { agent: binding.agent_id, place, of });
  const { role: _role, ...attributes } = sortable.attributes;
  const cell = (column: Column<Binding>): ReactNode => column.cell(binding);
  return (
    <tr
      ref={sortable.setNodeRef}
      className={[table.open && 'opens', binding.binding_id === table.current && 'on', sortable.isDragging && 'dragged'].filter(Boolean).join(' ') || undefined}
      aria-current={binding.binding_id === table.current ? 'true' : undefined}
      style={transform ? { transform: `translateY(${transform.y}px)`, transition: sortable.transition } : undefined}
      tabIndex={table.open ? 0 : undefined}
      onKeyDown={(event) => event.key === 'Enter' && event.target === event.currentTarget && table.open?.(binding)}
      onClick={table.open && ((event) => !isControl(event.target) && table.open?.(binding))}
    >
      {table.move && (
        <td className="tick">
          <button
            type="button"
            ref={sortable.setActivatorNodeRef}
            {...attributes}
            {...sortable.listeners}
            className="grip"
            aria-label={name}
            aria-disabled={isAlone}
            title={isAlone ? t('binding.dragAlone') : name}
          >
            <Icon name="grip" />
          </button>
        </td>
      )}
      {table.columns.map((column) => (
        <td key={column.key} className={column.num ? 'num' : undefined}>
          {cell(column)}
        </td>
      ))}
    </tr>
  );
}

function isControl(target: EventTarget): boolean {
  return target instanceof Element && target.closest('a, button, input, label, [role="menu"]') !== null;
}
